// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The layouts of all classes of the package, so that none can be left out. */
final class LayoutClasses {
  private LayoutClasses() {}

  static List<Struct> structs() {
    return classes().stream()
        .flatMap(each -> constant(each, "STRUCT", Struct.class).stream())
        .toList();
  }

  /** By map the struct that it holds. */
  static Map<String, Struct> structsOfMaps() {
    Map<String, Struct> structs = new HashMap<>();
    for (Class<?> each : classes()) {
      constant(each, "MAP", String.class)
          .ifPresent(
              map ->
                  constant(each, "STRUCT", Struct.class)
                      .ifPresent(struct -> structs.put(map, struct)));
    }
    return structs;
  }

  /** By the enum's name in C the values by name: of the classes that hold constants alone. */
  static Map<String, Map<String, Integer>> enums() {
    Map<String, Map<String, Integer>> enums = new TreeMap<>();
    for (Class<?> each : classes()) {
      Map<String, Integer> values = new TreeMap<>();
      for (java.lang.reflect.Field field : each.getFields()) {
        if (field.getType() == int.class && Modifier.isStatic(field.getModifiers())) {
          values.put(field.getName(), constant(each, field.getName(), Integer.class).orElseThrow());
        }
      }
      if (!values.isEmpty()) {
        enums.put(nameInC(each), values);
      }
    }
    return enums;
  }

  private static String nameInC(Class<?> each) {
    return each.getSimpleName().replaceAll("(?<=.)(?=[A-Z])", "_").toLowerCase(Locale.ROOT);
  }

  private static <T> Optional<T> constant(Class<?> of, String name, Class<T> type) {
    try {
      return Optional.of(type.cast(Objects.requireNonNull(of.getField(name).get(null))));
    } catch (NoSuchFieldException e) {
      return Optional.empty();
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<Class<?>> classes() {
    String name = Struct.class.getPackageName();
    try {
      Path root = Path.of(Struct.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      try (Stream<Path> files = Files.list(root.resolve(name.replace('.', '/')))) {
        return files
            .map(file -> String.valueOf(file.getFileName()))
            .filter(file -> file.matches("[A-Za-z]+[.]class"))
            .<Class<?>>map(file -> load(name + "." + file.substring(0, file.indexOf('.'))))
            .toList();
      }
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Class<?> load(String name) {
    try {
      return Class.forName(name);
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }
}
