// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.compile.ClassifierCompiler;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.kernel.MapShape;
import dev.tokenbucket.agent.pins.Pins;
import dev.tokenbucket.agent.slots.HashKey;
import dev.tokenbucket.agent.slots.PolicySlots;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The map shapes that {@link Pins#LAYOUT} stands for, as read from the kernel. */
class LayoutTest extends KernelTest {
  /** The layout of which {@link #SHAPES} tells. Both change together, and with Pins.LAYOUT. */
  private static final int LAYOUT = 4;

  private static final int CAPACITY = 100;
  private static final int BPF_MAP_TYPE_ARRAY_OF_MAPS = 12;

  /** The shape of each pinned map, and of the first map that it holds. */
  private static final String SHAPES =
      """
      admissions: type 2, key 4, value 16, entries 259
      bucket_tables: type 12, key 4, value 4, entries 259
      counters: type 6, key 4, value 64, entries 259
      evicting_bucket_tables: type 12, key 4, value 4, entries 259
      evicting_flow_tables: type 12, key 4, value 4, entries 259
      failsafe_counters: type 6, key 4, value 80, entries 1
      flow_tables: type 12, key 4, value 4, entries 259
      free_places: type 12, key 4, value 4, entries 259
      hash_key: type 2, key 4, value 16, entries 1
      hints: type 12, key 4, value 4, entries 259
      identities: type 2, key 4, value 376, entries 259
      not_ip: type 6, key 4, value 8, entries 1
      observation: type 2, key 4, value 64, entries 1
      observation_counters: type 6, key 4, value 32, entries 1
      observers: type 12, key 4, value 4, entries 1
      of bucket_tables: type 1, key 24, value 4, entries 100
      of evicting_bucket_tables: type 9, key 24, value 24, entries 100
      of evicting_flow_tables: type 9, key 40, value 24, entries 100
      of flow_tables: type 1, key 40, value 4, entries 100
      of free_places: type 22, key 0, value 4, entries 100
      of hints: type 2, key 4, value 4, entries 65536
      of places: type 2, key 4, value 64, entries 16384
      parameters: type 2, key 4, value 152, entries 259
      place_cursors: type 2, key 4, value 16, entries 259
      places: type 12, key 4, value 4, entries 66304
      reservations: type 6, key 4, value 16, entries 259
      shared_buckets: type 2, key 4, value 64, entries 259
      sightings: type 2, key 4, value 8, entries 65536
      table_counters: type 6, key 4, value 16, entries 259
      """;

  private final LinuxKernel kernel = new LinuxKernel();

  @Test
  void aChangeOfAPinnedMapIsAnotherLayout() throws Exception {
    Policy policy = Policy.packets(10, 10);
    try (VirtualHook hook =
        hook(
            policy.perSource(CAPACITY),
            policy.perFlow(CAPACITY),
            policy.perSource(CAPACITY).evicting(),
            policy.perFlow(CAPACITY).evicting())) {
      Path compiled = new ClassifierCompiler(objects).compile(List.of());
      PolicySlots slots = new PolicySlots(kernel, new Pins(bpffs), compiled, any -> {});
      slots.prepare();
      HashKey key = slots.hashKey();
      slots.prepare();

      assertThat(text(shapes()))
          .as(
              "the pinned maps have another shape than agents of layout %d know: raise Pins.LAYOUT,"
                  + " and LAYOUT and SHAPES here with it",
              LAYOUT)
          .isEqualTo(SHAPES);
      assertThat(Pins.LAYOUT).as("SHAPES here tells of another layout").isEqualTo(LAYOUT);
      assertThat(slots.hashKey()).as("as another agent finds it").isEqualTo(key);
      assertThat(key.isUnset()).isFalse();
      assertThat(hook.notIp()).isZero();
    }
  }

  private static String text(Map<String, String> shapes) {
    return shapes.entrySet().stream()
        .map(each -> each.getKey() + ": " + each.getValue() + "\n")
        .collect(Collectors.joining());
  }

  private Map<String, String> shapes() {
    Pins pins = new Pins(bpffs);
    Map<String, String> shapes = new TreeMap<>(shapes(pins.identities()));
    shapes.putAll(shapes(pins.hashKey()));
    pins.ofClassifier(bpffs).values().forEach(pin -> shapes.putAll(shapes(pin)));
    return shapes;
  }

  private Map<String, String> shapes(Path pin) {
    int map = kernel.open(pin);
    try {
      String name = String.valueOf(pin.getFileName());
      MapShape own = MapShape.of(map);
      Map<String, String> shapes = new TreeMap<>(Map.of(name, own.toString()));
      // The ring is there only while somebody observes.
      if (own.type() == BPF_MAP_TYPE_ARRAY_OF_MAPS && !name.equals("observers")) {
        shapes.put("of " + name, shapeOfFirst(map, own.entries()));
      }
      return shapes;
    } finally {
      kernel.close(map);
    }
  }

  /** Reads the inner map by its own pin, because an array of maps only gives a number. */
  private String shapeOfFirst(int maps, int entries) {
    Map<Long, String> pinned = pinnedTables();
    return IntStream.range(0, entries)
        .mapToObj(key -> kernel.innerId(maps, key))
        .flatMap(Optional::stream)
        .findFirst()
        .map(id -> Objects.requireNonNull(pinned.get(id), "map " + id + " is not pinned"))
        .orElseThrow();
  }

  /** By the map's number its shape. */
  private Map<Long, String> pinnedTables() {
    Map<Long, String> pinned = new HashMap<>();
    for (Path slot : Pins.entries(bpffs.resolve("slots"))) {
      for (Path pin : Pins.entries(slot)) {
        kernel.use(pin, map -> pinned.put(kernel.mapId(map), MapShape.of(map).toString()));
      }
    }
    return pinned;
  }
}
