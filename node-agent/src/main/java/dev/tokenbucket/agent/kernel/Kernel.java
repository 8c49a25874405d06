package dev.tokenbucket.agent.kernel;

import dev.tokenbucket.api.v1alpha1.Direction;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the agent asks of the kernel; the one door to native calls. All methods throw {@link
 * KernelException}. File descriptors are closed by who got them.
 */
public interface Kernel {
  /**
   * Loads a program from an object file. Maps named in {@code pins} are reused from, or pinned at,
   * these paths.
   *
   * @param readOnlyData initial values of maps, by section name
   * @return the program's file descriptor
   */
  int load(Path object, String program, Map<String, Path> pins, Map<String, byte[]> readOnlyData);

  /** Attaches at the head of the interface's TCX hook, pinned at {@code pin}. */
  void attach(int program, int ifindex, Direction direction, Path pin);

  /** Exchanges the program of a pinned link, without a gap. */
  void replace(Path pinnedLink, int program);

  /** The link pinned there; empty where there is none, or its interface is gone. */
  Optional<Link> link(Path pinnedLink);

  /** A running program's value of a one-element map of this size; empty where it has none. */
  Optional<byte[]> readOnlyData(long programId, int size);

  /** Opens a pinned map. */
  int open(Path pin);

  /** Creates an array map and pins it. */
  int createArray(String name, int valueSize, int entries, Path pin);

  /** Creates a preallocated hash map. */
  int createHash(String name, int keySize, int valueSize, int entries);

  byte[] lookup(int map, int key, int valueSize);

  /** The value of each possible CPU. */
  List<byte[]> lookupPerCpu(int map, int key, int valueSize);

  void update(int map, int key, byte[] value);

  /** Writes the same value for each possible CPU. */
  void updatePerCpu(int map, int key, byte[] value);

  /** Removes an entry; no error where there is none. */
  void delete(int map, int key);

  /** Runs a syscall program on this context and returns its result. */
  int run(int program, byte[] context);

  /** Waits until every program that runs now has ended. */
  void awaitGracePeriod();

  void close(int fd);

  /** An attached link, as the kernel reports it. */
  record Link(int ifindex, long programId) {}
}
