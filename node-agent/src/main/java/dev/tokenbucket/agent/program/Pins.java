package dev.tokenbucket.agent.program;

import dev.tokenbucket.api.v1alpha1.Direction;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Where our objects are pinned: {@code tokenbucket/} on the BPF file system. */
record Pins(Path root) {
  static final List<String> HOST_MAPS = List.of("parameters", "shared_buckets", "bucket_tables");
  static final List<String> HOOK_MAPS = List.of("counters", "not_ip");

  static Pins on(Path bpffs) {
    return new Pins(bpffs.resolve("tokenbucket"));
  }

  Path map(String name) {
    return root.resolve(name);
  }

  Path identities() {
    return root.resolve("identities");
  }

  /** By index, not name: names may hold dots, which the BPF file system refuses. */
  Path hook(int ifindex, Direction direction) {
    return root.resolve("hooks")
        .resolve(direction.name().toLowerCase(java.util.Locale.ROOT) + "-" + ifindex);
  }

  static Path link(Path hook) {
    return hook.resolve("link");
  }

  Map<String, Path> ofClassifier(Path hook) {
    Map<String, Path> pins = new java.util.HashMap<>();
    HOST_MAPS.forEach(name -> pins.put(name, map(name)));
    HOOK_MAPS.forEach(name -> pins.put(name, hook.resolve(name)));
    return pins;
  }

  List<Path> hooks() {
    Path hooks = root.resolve("hooks");
    if (!Files.isDirectory(hooks)) {
      return List.of();
    }
    try (Stream<Path> each = Files.list(hooks)) {
      return each.sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Removes a folder of pins, the link first, so that the hook is free before its maps go. */
  static void remove(Path folder) {
    if (!Files.exists(folder)) {
      return;
    }
    try {
      Files.deleteIfExists(link(folder));
      try (Stream<Path> all = Files.walk(folder)) {
        for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(each);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("removing " + folder + ": " + e.getMessage(), e);
    }
  }
}
