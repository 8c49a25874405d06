// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import jnr.ffi.Pointer;
import org.jspecify.annotations.Nullable;

/**
 * Loads BPF objects with libbpf. Maps are pinned, sized and filled before programs are handed out.
 */
final class ObjectLoader {
  private static final int ENOENT = 2;

  private final NativeCalls calls;
  private final LibBpf library;

  ObjectLoader(NativeCalls calls) {
    this.calls = calls;
    this.library = calls.library();
  }

  int load(
      Path object,
      String program,
      Map<String, Path> pins,
      Map<String, byte[]> readOnlyData,
      List<MapContents> contents) {
    return load(open(object), pins, readOnlyData, contents, opened -> program(opened, program));
  }

  KernelPrograms.ProgramAndMap loadWithMap(
      Path object,
      String program,
      Map<String, Path> pins,
      Map<String, byte[]> readOnlyData,
      List<MapContents> contents,
      String map) {
    return load(
        open(object), pins, readOnlyData, contents, opened -> programAndMap(opened, program, map));
  }

  private KernelPrograms.ProgramAndMap programAndMap(Pointer opened, String program, String map) {
    int taken = program(opened, program);
    try {
      return new KernelPrograms.ProgramAndMap(
          taken, calls.duplicate(library.bpf_map__fd(map(opened, map))));
    } catch (KernelException e) {
      calls.close(taken);
      throw e;
    }
  }

  KernelPrograms.ProgramAndMaps loadAlone(
      byte[] object,
      String program,
      Map<String, byte[]> readOnlyData,
      List<MapContents> contents,
      List<String> maps) {
    Pointer opened = library.bpf_object__open_mem(object, object.length, null);
    return load(
        opened(opened, "in memory"),
        Map.of(),
        readOnlyData,
        contents,
        loaded -> programAndMaps(loaded, program, maps));
  }

  private KernelPrograms.ProgramAndMaps programAndMaps(
      Pointer opened, String program, List<String> maps) {
    List<Integer> taken = new ArrayList<>();
    try {
      taken.add(program(opened, program));
      Map<String, Integer> byName = new HashMap<>();
      for (String name : maps) {
        int map = calls.duplicate(library.bpf_map__fd(map(opened, name)));
        taken.add(map);
        byName.put(name, map);
      }
      return new KernelPrograms.ProgramAndMaps(taken.get(0), byName);
    } catch (KernelException e) {
      taken.forEach(calls::close);
      throw e;
    }
  }

  private Pointer open(Path object) {
    return opened(library.bpf_object__open_file(object.toString(), null), object.toString());
  }

  private Pointer opened(@Nullable Pointer opened, String object) {
    if (opened == null) {
      throw new KernelException("opening the BPF object " + object, calls.runtime().getLastError());
    }
    return opened;
  }

  private <T> T load(
      Pointer opened,
      Map<String, Path> pins,
      Map<String, byte[]> readOnlyData,
      List<MapContents> contents,
      Function<Pointer, T> take) {
    try {
      pins.forEach(
          (name, path) ->
              NativeCalls.check(
                  "setting the pin of map " + name,
                  library.bpf_map__set_pin_path(map(opened, name), path.toString())));
      readOnlyData.forEach(
          (name, data) ->
              NativeCalls.check(
                  "setting " + name,
                  library.bpf_map__set_initial_value(map(opened, name), data, data.length)));
      contents.forEach(each -> size(map(opened, each.map()), each));
      NativeCalls.check("loading a BPF object", library.bpf_object__load(opened));
      contents.forEach(each -> fill(library.bpf_map__fd(map(opened, each.map())), each));
      return take.apply(opened);
    } finally {
      library.bpf_object__close(opened);
    }
  }

  private void size(Pointer map, MapContents contents) {
    String what = "setting the size of map " + contents.map();
    NativeCalls.check(what, library.bpf_map__set_max_entries(map, contents.entries()));
    NativeCalls.check(what, library.bpf_map__set_value_size(map, contents.valueSize()));
  }

  private void fill(int map, MapContents contents) {
    for (MapContents.Element each : contents.elements()) {
      NativeCalls.check(
          "filling map " + contents.map(),
          library.bpf_map_update_elem(
              map, NativeCalls.bytes(each.key()), NativeCalls.bytes(each.value()), 0));
    }
  }

  private int program(Pointer object, String name) {
    Pointer found = library.bpf_object__find_program_by_name(object, name);
    if (found == null) {
      throw new KernelException("finding program " + name, ENOENT);
    }
    // The object's own descriptor is closed with the object; the duplicate outlives it.
    return calls.duplicate(library.bpf_program__fd(found));
  }

  private Pointer map(Pointer object, String name) {
    Pointer map = library.bpf_object__find_map_by_name(object, name);
    if (map == null) {
      throw new KernelException("finding map " + name, ENOENT);
    }
    return map;
  }
}
