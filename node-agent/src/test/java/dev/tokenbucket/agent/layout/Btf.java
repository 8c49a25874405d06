// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** The compiler's description of an object's types: its BTF, as bpftool reads it. */
final class Btf {
  private static final int POINTER_SIZE = 8;

  private final Map<Integer, JsonNode> types = new HashMap<>();

  private Btf(JsonNode list) {
    list.forEach(type -> types.put(type.get("id").asInt(), type));
  }

  static Btf of(Path object) throws IOException {
    Process bpftool =
        new ProcessBuilder("bpftool", "-j", "btf", "dump", "file", object.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    JsonNode dump = new ObjectMapper().readTree(bpftool.getInputStream());
    if (!dump.has("types")) {
      throw new IOException("bpftool reads no BTF of " + object + ": " + dump);
    }
    return new Btf(dump.get("types"));
  }

  /**
   * A map of the object.
   *
   * @param entries of an array of maps, and {@code inner} those of the maps in it
   * @param key the struct's name, else how many bytes
   * @param value likewise
   */
  record MapType(int entries, String key, String value, Optional<MapType> inner) {
    static MapType of(int entries, String key, String value) {
      return new MapType(entries, key, value, Optional.empty());
    }

    static MapType ofMaps(int entries, MapType inner) {
      return new MapType(entries, bytes(Integer.BYTES), bytes(Integer.BYTES), Optional.of(inner));
    }
  }

  static String bytes(int size) {
    return size + " bytes";
  }

  /** Empty if the object does not describe it. */
  Optional<Struct> struct(String name) {
    return named("STRUCT", name).map(this::struct);
  }

  private Struct struct(JsonNode type) {
    List<Field> fields =
        stream(type.get("members"))
            .map(
                member ->
                    new Field(
                        text(member, "name"),
                        member.get("bits_offset").asInt() / Byte.SIZE,
                        size(type(member))))
            .toList();
    // BTF describes every member of a struct, but no alignment.
    return new Struct(text(type, "name"), type.get("size").asInt(), 1, fields);
  }

  /** The values by name; empty where the object says nothing of it. */
  Optional<Map<String, Integer>> enumeration(String name) {
    return named("ENUM", name)
        .map(
            type -> {
              Map<String, Integer> values = new TreeMap<>();
              type.get("values")
                  .forEach(value -> values.put(text(value, "name"), value.get("val").asInt()));
              return values;
            });
  }

  /** By name. */
  Map<String, MapType> maps() {
    Map<String, MapType> maps = new TreeMap<>();
    ofSection(".maps").forEach(map -> maps.put(text(map, "name"), map(type(map))));
    return maps;
  }

  private MapType map(JsonNode map) {
    // libbpf's __uint(NAME, NUMBER) is a pointer to an array so long.
    int entries = pointedTo(map, "max_entries").orElseThrow().get("nr_elems").asInt();
    // Its __array(values, struct INNER) is an array of pointers.
    Optional<MapType> inner = member(map, "values").map(values -> map(type(type(values))));
    String value = inner.isPresent() ? bytes(Integer.BYTES) : part(map, "value");
    return new MapType(entries, part(map, "key"), value, inner);
  }

  /** A key or a value, which the map has by its type or by its size. */
  private String part(JsonNode map, String name) {
    return pointedTo(map, name)
        .map(type -> is(type, "STRUCT") ? text(type, "name") : bytes(size(type)))
        .or(() -> pointedTo(map, name + "_size").map(size -> bytes(size.get("nr_elems").asInt())))
        .orElseThrow();
  }

  private Optional<JsonNode> pointedTo(JsonNode map, String name) {
    return member(map, name).map(this::type);
  }

  private Optional<JsonNode> member(JsonNode struct, String name) {
    return stream(struct.get("members"))
        .filter(member -> text(member, "name").equals(name))
        .map(this::type)
        .findFirst();
  }

  /** The structs of keys, of values and of the read-only data, and those that are in them. */
  Set<String> structsAtTheBorder() {
    Set<String> names = new TreeSet<>();
    ofSection(".maps")
        .map(this::type)
        .flatMap(map -> Stream.of("key", "value").flatMap(part -> pointedTo(map, part).stream()))
        .forEach(type -> collect(type, names));
    ofSection(".rodata.hook").forEach(data -> collect(type(data), names));
    return names;
  }

  private void collect(JsonNode type, Set<String> names) {
    if (is(type, "STRUCT")) {
      names.add(text(type, "name"));
      type.get("members").forEach(member -> collect(type(member), names));
    } else if (is(type, "ARRAY")) {
      collect(type(type), names);
    }
  }

  /** The struct that a program is given, which is its function's only argument. */
  String argumentOf(String function) {
    JsonNode parameter = type(named("FUNC", function).orElseThrow()).get("params").get(0);
    return text(type(type(parameter)), "name");
  }

  private Stream<JsonNode> ofSection(String name) {
    return named("DATASEC", name).stream()
        .flatMap(section -> stream(section.get("vars")))
        .map(this::typeOf);
  }

  private Optional<JsonNode> named(String kind, String name) {
    return types.values().stream()
        .filter(type -> is(type, kind) && text(type, "name").equals(name))
        .findFirst();
  }

  private int size(JsonNode type) {
    return switch (text(type, "kind")) {
      case "ARRAY" -> type.get("nr_elems").asInt() * size(type(type));
      case "PTR" -> POINTER_SIZE;
      default -> type.get("size").asInt();
    };
  }

  /** What it is of, without names and qualifiers. */
  private JsonNode type(JsonNode of) {
    JsonNode type = typeOf(of);
    return Set.of("TYPEDEF", "CONST", "VOLATILE").contains(text(type, "kind")) ? type(type) : type;
  }

  private JsonNode typeOf(JsonNode of) {
    JsonNode type = types.get(of.get("type_id").asInt());
    if (type == null) {
      throw new IllegalArgumentException("no type of " + of);
    }
    return type;
  }

  private static boolean is(JsonNode type, String kind) {
    return text(type, "kind").equals(kind);
  }

  private static String text(JsonNode of, String name) {
    return of.get(name).asText();
  }

  private static Stream<JsonNode> stream(JsonNode list) {
    return StreamSupport.stream(list.spliterator(), false);
  }
}
