package dev.tokenbucket.agent.kernel;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import jnr.ffi.Pointer;

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
    return load(object, pins, readOnlyData, contents, opened -> program(opened, program));
  }

  KernelPrograms.ProgramAndMap loadWithMap(
      Path object,
      String program,
      Map<String, Path> pins,
      Map<String, byte[]> readOnlyData,
      List<MapContents> contents,
      String map) {
    return load(
        object, pins, readOnlyData, contents, opened -> programAndMap(opened, program, map));
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

  private <T> T load(
      Path object,
      Map<String, Path> pins,
      Map<String, byte[]> readOnlyData,
      List<MapContents> contents,
      Function<Pointer, T> take) {
    Pointer opened = library.bpf_object__open_file(object.toString(), null);
    if (opened == null) {
      throw new KernelException("opening the BPF object " + object, calls.runtime().getLastError());
    }
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
      NativeCalls.check("loading the BPF object " + object, library.bpf_object__load(opened));
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
