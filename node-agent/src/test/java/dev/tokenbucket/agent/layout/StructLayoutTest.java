// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.compile.ClassifierCompiler;
import dev.tokenbucket.agent.layout.Btf.MapType;
import dev.tokenbucket.api.v1alpha1.NodeFailsafe;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Issue 16: both sides of the border have the same structs, enums and maps. Needs no root. */
class StructLayoutTest {
  private static final String INDEX = Btf.bytes(Integer.BYTES);

  @TempDir static Path cache = Path.of("");

  private static Path compiled = Path.of("");
  private static Map<String, Btf> objects = Map.of();

  @BeforeAll
  static void compile() throws Exception {
    compiled = new ClassifierCompiler(cache).compile(List.of());
    objects =
        Map.of(
            "classifier.bpf.o", Btf.of(compiled.resolve("classifier.bpf.o")),
            "parameters.bpf.o", Btf.of(compiled.resolve("parameters.bpf.o")),
            "sweep.bpf.o", Btf.of(compiled.resolve("sweep.bpf.o")),
            "all.bpf.o", all(compiled));
  }

  private static Btf object(String name) {
    Btf btf = objects.get(name);
    if (btf == null) {
      throw new IllegalArgumentException(name);
    }
    return btf;
  }

  @Test
  void eachStructHasTheFieldsThatCompiledCodeHas() {
    assertThat(LayoutClasses.structs()).isNotEmpty();
    for (Struct struct : LayoutClasses.structs()) {
      assertThat(object("all.bpf.o").struct(struct.name())).as(struct.name()).isPresent();
      objects.forEach(
          (name, object) ->
              object
                  .struct(struct.name())
                  .ifPresent(
                      inC ->
                          assertThat(text(struct))
                              .as("struct %s of %s", struct.name(), name)
                              .isEqualTo(text(inC))));
    }
  }

  @Test
  void eachEnumHasTheValuesThatCompiledCodeHas() {
    Map<String, Map<String, Integer>> enums = LayoutClasses.enums();
    assertThat(enums).isNotEmpty();
    enums.forEach(
        (name, values) ->
            assertThat(object("all.bpf.o").enumeration(name))
                .as("enum " + name)
                .isEqualTo(Optional.of(values)));
  }

  @Test
  void eachMapOfTheClassifierHasTheKeysAndValuesThatTheAgentGivesIt() {
    Map<String, MapType> expected = new TreeMap<>(ofOneStruct());
    expected.remove(SweepKeysLayout.MAP);
    String termSet = TermSetLayout.STRUCT.name();
    int protocols = ProtocolIndex.MATCH_UNKNOWN_PROTOCOL + 1;
    expected.put("protocol_terms", MapType.of(protocols, INDEX, termSet));
    for (String side : List.of("source", "destination")) {
      expected.put(side + "_terms", MapType.of(1, PrefixKeyLayout.STRUCT.name(), termSet));
      expected.put(side + "_head_terms", MapType.of(1, INDEX, termSet));
      expected.put(side + "_head_classes", MapType.of(1, INDEX, bytes(HeadClassesLayout.STRUCT)));
    }
    for (String number : List.of("source_port", "destination_port", "icmp", "length")) {
      expected.put(number + "_terms", MapType.of(1, INDEX, termSet));
      expected.put(number + "_classes", MapType.of(1, INDEX, bytes(NumberClassesLayout.STRUCT)));
    }
    for (String field : List.of("tcp_flags", "dscp", "fragment")) {
      expected.put(field + "_terms", MapType.of(1, INDEX, termSet));
    }
    expected.put(NotIpLayout.MAP, MapType.of(1, INDEX, Btf.bytes(NotIpLayout.FRAMES.size())));
    expected.put("sightings", MapType.of(1 << 16, INDEX, Btf.bytes(8)));
    expected.put("fragments", MapType.of(1, Btf.bytes(40), Btf.bytes(16)));
    expected.put("failsafe_peers", MapType.of(1, FailsafeKeyLayout.STRUCT.name(), INDEX));
    expected.putAll(ofMaps());

    assertThat(object("classifier.bpf.o").maps()).isEqualTo(expected);
  }

  @Test
  void theMapsOfTheOtherProgramsAreThoseOfTheClassifier() {
    Map<String, MapType> known = new HashMap<>(object("classifier.bpf.o").maps());
    known.put(SweepKeysLayout.MAP, MapType.of(1, INDEX, SweepKeysLayout.STRUCT.name()));

    assertThat(known)
        .containsAllEntriesOf(object("parameters.bpf.o").maps())
        .containsAllEntriesOf(object("sweep.bpf.o").maps());
  }

  /** The maps by name, from the layouts. All but the named ones have one entry per slot. */
  private static Map<String, MapType> ofOneStruct() {
    Set<String> single =
        Set.of(
            FailsafeCountersLayout.MAP,
            SweepKeysLayout.MAP,
            ObservationLayout.MAP,
            ObservationCountersLayout.MAP);
    Map<String, MapType> maps = new HashMap<>();
    LayoutClasses.structsOfMaps()
        .forEach(
            (map, struct) ->
                maps.put(
                    map,
                    MapType.of(
                        single.contains(map) ? 1 : SlotLimit.MAX_SLOTS, INDEX, struct.name())));
    return maps;
  }

  /** Arrays of maps; what of their maps the agent chooses is 1 here. */
  private static Map<String, MapType> ofMaps() {
    String address = bytes(BucketKeyLayout.STRUCT);
    String flow = bytes(FlowKeyLayout.STRUCT);
    String bucket = bytes(BucketLayout.STRUCT);
    Map<String, MapType> inner =
        Map.of(
            "bucket_tables", MapType.of(1, address, INDEX),
            "flow_tables", MapType.of(1, flow, INDEX),
            "evicting_bucket_tables", MapType.of(1, address, bucket),
            "evicting_flow_tables", MapType.of(1, flow, bucket),
            "hints", MapType.of(PlaceLimit.HINTS, INDEX, INDEX),
            "free_places", MapType.of(1, Btf.bytes(0), INDEX));
    Map<String, MapType> maps = new HashMap<>();
    inner.forEach((name, of) -> maps.put(name, MapType.ofMaps(SlotLimit.MAX_SLOTS, of)));
    MapType places = MapType.of(PlaceLimit.PLACES, INDEX, bytes(PlaceLayout.STRUCT));
    maps.put("observers", MapType.ofMaps(1, MapType.of(4096, Btf.bytes(0), Btf.bytes(0))));
    maps.put("places", MapType.ofMaps(SlotLimit.MAX_SLOTS * PlaceLimit.SLOT_ARRAYS, places));
    return maps;
  }

  private static String bytes(Struct struct) {
    return Btf.bytes(struct.size());
  }

  @Test
  void noStructAtTheBorderIsUnknownToTheAgent() {
    Set<String> inC = new TreeSet<>();
    objects.values().forEach(object -> inC.addAll(object.structsAtTheBorder()));
    inC.add(object("parameters.bpf.o").argumentOf("change_parameters"));
    inC.add(object("sweep.bpf.o").argumentOf("sweep"));

    assertThat(LayoutClasses.structs()).extracting(Struct::name).containsAll(inC);
  }

  @Test
  void theApiAllowsAsManyFailsafePortsAsAHookCompares() {
    assertThat(NodeFailsafe.MAX_PORTS).isEqualTo(HookLimit.MAX_FAILSAFE_PORTS);
  }

  @Test
  void twoFieldsSwappedInJavaAreNoticed() {
    for (Struct struct : LayoutClasses.structs()) {
      for (int i = 1; i < struct.fields().size(); i++) {
        Struct swapped = swapped(struct, i - 1, i);
        assertThat(object("all.bpf.o").struct(struct.name()).map(StructLayoutTest::text))
            .as("%s with field %d before field %d", struct.name(), i, i - 1)
            .isNotEqualTo(Optional.of(text(swapped)));
      }
    }
  }

  /** The same offsets with exchanged names, a likely slip. */
  private static Struct swapped(Struct struct, int one, int other) {
    List<Field> fields = new ArrayList<>(struct.fields());
    Field first = fields.get(one);
    Field second = fields.get(other);
    fields.set(one, new Field(second.name(), first.offset(), first.size()));
    fields.set(other, new Field(first.name(), second.offset(), second.size()));
    return new Struct(struct.name(), struct.size(), struct.alignment(), fields);
  }

  @Test
  void twoFieldsSwappedInCAreNoticed() throws Exception {
    Path copy = Files.createDirectory(cache.resolve("swapped"));
    for (Path source : sources(compiled)) {
      Files.copy(source, copy.resolve(source.getFileName()));
    }
    Path maps = copy.resolve("maps.h");
    String text = Files.readString(maps);
    String swapped =
        text.replace(" conform_packets;", "?")
            .replace(" exceed_packets;", " conform_packets;")
            .replace("?", " exceed_packets;");
    assertThat(swapped).isNotEqualTo(text);
    Files.writeString(maps, swapped);

    assertThat(text(all(copy).struct("verdict_counters").orElseThrow()))
        .isNotEqualTo(text(VerdictCountersLayout.STRUCT));
  }

  /** A line a field. */
  private static String text(Struct struct) {
    return struct.fields().stream()
        .map(field -> "%s: %d bytes at %d%n".formatted(field.name(), field.size(), field.offset()))
        .collect(Collectors.joining("", "", struct.size() + " bytes"));
  }

  /**
   * The BTF of all programs in one object. An object has BTF of what a map, a variable or a
   * function of it is of, and of nothing else; so here is a variable of each type that we know.
   *
   * @param folder the classifier's sources
   */
  private static Btf all(Path folder) throws Exception {
    StringBuilder source = new StringBuilder();
    for (String program : List.of("classifier", "parameters", "sweep")) {
      source.append("#define _license license_of_%s%n".formatted(program));
      source.append("#include \"%s.bpf.c\"%n#undef _license%n".formatted(program));
    }
    for (Struct struct : LayoutClasses.structs()) {
      source.append("struct %s *pointer_to_%s;%n".formatted(struct.name(), struct.name()));
    }
    for (String name : LayoutClasses.enums().keySet()) {
      source.append("enum %s *pointer_to_%s;%n".formatted(name, name));
    }
    Files.writeString(folder.resolve("all.bpf.c"), source);
    Process clang =
        new ProcessBuilder("clang", "@clang.flags", "-c", "all.bpf.c")
            .directory(folder.toFile())
            .redirectInput(new File("/dev/null"))
            .inheritIO()
            .start();
    assertThat(clang.waitFor()).isZero();
    return Btf.of(folder.resolve("all.bpf.o"));
  }

  private static List<Path> sources(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().matches(".*[.](c|h|flags)")).toList();
    }
  }
}
