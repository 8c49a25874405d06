package dev.tokenbucket.agent.kernel;

import dev.tokenbucket.api.v1alpha1.Direction;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;

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

  /** Attaches at the head of the interface's hook, so that it stays when we are gone. */
  void attach(int program, Attachment at);

  /** Exchanges the program there, without a gap. */
  void replace(Attachment at, int program);

  /** What of ours is attached there; empty where nothing is, or the interface is gone. */
  Optional<Attached> attached(Attachment at);

  /** Ends what an agent that was killed had begun to exchange there; most often nothing. */
  void settle(Attachment at);

  /** Detaches what of ours is attached there; no error where nothing is. */
  void detach(Attachment at);

  /**
   * Loads a program and takes a map of its own beside it.
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

  /** The kernel's number of a loaded program. */
  long programId(int program);

  /** The kernel's number of a map. */
  long mapId(int map);

  /** The maps that a loaded program uses, by the kernel's numbers. */
  List<Long> mapIds(int program);

  /** Pins a program or a map where nothing is pinned yet. */
  void pin(int fd, Path pin);

  /** Opens a pinned program or map. */
  int open(Path pin);

  /** Opens a pinned program or map for as long as it is read. */
  default <T> T read(Path pin, IntFunction<T> use) {
    int map = open(pin);
    try {
      return use.apply(map);
    } finally {
      close(map);
    }
  }

  /** Opens a pinned map for as long as it is used. */
  default void use(Path pin, IntConsumer use) {
    int map = open(pin);
    try {
      use.accept(map);
    } finally {
      close(map);
    }
  }

  /** Creates an array map and pins it. */
  int createArray(String name, int valueSize, int entries, Path pin);

  /** Creates an array map for an array of maps. */
  int createArray(String name, int valueSize, int entries);

  /** Creates a queue map. */
  int createQueue(String name, int valueSize, int entries);

  /**
   * Creates a preallocated hash map.
   *
   * @param evicts whether the kernel makes room by removing about the least recently used
   */
  int createHash(String name, int keySize, int valueSize, int entries, boolean evicts);

  byte[] lookup(int map, int key, int valueSize);

  /** The value of each possible CPU. */
  List<byte[]> lookupPerCpu(int map, int key, int valueSize);

  /**
   * All values of an array map, in order, in one call.
   *
   * @param valueSize bytes of an entry's value; of a per-CPU map, those of all possible CPUs
   */
  ByteBuffer lookupAll(int map, int entries, int valueSize);

  void update(int map, int key, byte[] value);

  /**
   * Reads about so many elements of a hash map, from a cursor on.
   *
   * @param cursor what the read before gave; empty from the beginning
   */
  Batch lookupBatch(int map, Optional<ByteBuffer> cursor, int keySize, int valueSize, int count);

  /**
   * The number of the map that an element of an array of maps holds; empty where it holds none. A
   * number opens nothing: that would need CAP_SYS_ADMIN, so maps of such arrays are pinned, too.
   */
  Optional<Long> innerId(int maps, int key);

  /** Writes the same value for each possible CPU. */
  void updatePerCpu(int map, int key, byte[] value);

  /** Removes an entry; no error where there is none. */
  void delete(int map, int key);

  /** Runs a syscall program on this context and returns its result. */
  int run(int program, byte[] context);

  /** Mounts a BPF file system that its owner alone may look into; needs CAP_SYS_ADMIN. */
  void mountBpf(Path folder);

  /** Waits until every program that runs now has ended. */
  void awaitGracePeriod();

  /** The index of an interface of this network namespace; empty where there is none. */
  default Optional<Integer> interfaceIndex(String name) {
    return devices().stream()
        .filter(device -> device.name().equals(name))
        .map(NetworkDevice::index)
        .findFirst();
  }

  /** The name of an interface of this network namespace; empty where there is none. */
  Optional<String> interfaceName(int index);

  /** The interfaces of this network namespace and what they stand on. */
  List<NetworkDevice> devices();

  /** Listens to changes of interfaces and routes of this network namespace from now on. */
  NetworkWatch watchNetwork();

  /**
   * The indexes of the interfaces that default routes lead over: IPv4's and IPv6's, of any table,
   * each next hop of a multipath route included.
   */
  Set<Integer> defaultRouteDevices();

  /**
   * The programs on an interface's TCX hook in the order in which they run, ours among them; empty
   * where the kernel has no TCX, or the interface is gone.
   */
  List<Long> tcxPrograms(int ifindex, Direction direction);

  /** Whether the kernel has TCX; elsewhere programs are attached as clsact filters. */
  boolean hasTcx();

  /**
   * Locks a folder against every other process that does, in whatever container, until the
   * descriptor is closed or this process ends.
   *
   * @return the descriptor; empty where another process holds the lock
   */
  Optional<Integer> lock(Path folder);

  /** Bytes of kernel memory that a map takes, as the kernel tells it. */
  long memory(int map);

  /** CPUs that there may ever be: a per-CPU value has a part for each. */
  int possibleCpus();

  /** Whether a task may preempt another that runs one of our programs: PREEMPT_RT. */
  boolean isRealTime();

  void close(int fd);

  /**
   * A part of a hash map.
   *
   * @param keys of {@code count} elements, one behind the other
   * @param values likewise
   * @param next the cursor to go on from; empty at the map's end
   */
  record Batch(int count, ByteBuffer keys, ByteBuffer values, Optional<ByteBuffer> next) {}

  /** Tells of changes; for one thread. */
  interface NetworkWatch extends AutoCloseable {
    /**
     * Waits until interfaces or default routes have changed, or may have.
     *
     * @param most how long to wait, in whole milliseconds
     * @return whether they may have; false after {@code most}, or earlier
     */
    boolean await(Duration most);

    @Override
    void close();
  }

  /** Two file descriptors. */
  record ProgramAndMap(int program, int map) {}

  /** Which of the kernel's hooks holds a program. */
  enum Hook {
    TCX("TCX"),
    CLSACT("Clsact");

    private final String text;

    Hook(String text) {
      this.text = text;
    }

    /** As status and API have it. */
    public String text() {
      return text;
    }
  }

  /** An attached program, as the kernel reports it. */
  record Attached(int ifindex, long programId, Hook hook) {}
}
