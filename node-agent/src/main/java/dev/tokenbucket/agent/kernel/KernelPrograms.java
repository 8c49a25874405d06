// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** What the agent asks of BPF programs. */
public interface KernelPrograms extends Descriptors {
  /**
   * Loads a program from an object file. Maps named in {@code pins} are reused from, or pinned at,
   * these paths.
   *
   * @param readOnlyData initial values of maps, by section name
   * @param contents of maps that are made with the program and belong to it alone; complete when
   *     this returns
   * @return the program's file descriptor
   */
  int load(
      Path object,
      String program,
      Map<String, Path> pins,
      Map<String, byte[]> readOnlyData,
      List<MapContents> contents);

  /** Loads a program whose own maps start empty. */
  default int load(
      Path object, String program, Map<String, Path> pins, Map<String, byte[]> readOnlyData) {
    return load(object, program, pins, readOnlyData, List.of());
  }

  /**
   * Loads a program and returns one of its own maps with it.
   *
   * @param map the map's name in the object
   */
  ProgramAndMap loadWithMap(
      Path object,
      String program,
      Map<String, Path> pins,
      Map<String, byte[]> readOnlyData,
      List<MapContents> contents,
      String map);

  /**
   * Loads a program with maps that are all its own and pinned nowhere: the kernel frees everything
   * with the last descriptor, however this process ends.
   *
   * @param object the bytes of an object file
   * @param maps names of the maps to return with the program
   */
  ProgramAndMaps loadAlone(
      byte[] object,
      String program,
      Map<String, byte[]> readOnlyData,
      List<MapContents> contents,
      List<String> maps);

  /** Runs a tc program on many packets. */
  PacketRunner packetRunner(int program);

  /** Keeps the calling thread on its current CPU. */
  void stayOnThisCpu();

  /** The kernel's id of a loaded program. */
  long programId(int program);

  /** The kernel's ids of the maps that a loaded program uses. */
  List<Long> mapIds(int program);

  /** Runs a syscall program on this context and returns its result. */
  int run(int program, byte[] context);

  /** A program and maps by name, as file descriptors. */
  record ProgramAndMaps(int program, Map<String, Integer> maps) {
    public ProgramAndMaps {
      maps = Map.copyOf(maps);
    }
  }

  /** A program and a map, as file descriptors. */
  record ProgramAndMap(int program, int map) {}
}
