// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.bench;

import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.testing.Commands;
import dev.tokenbucket.testing.StepFailedException;
import dev.tokenbucket.testing.bench.Subject.Counted;
import dev.tokenbucket.testing.bench.Subject.Expected;
import dev.tokenbucket.testing.kernel.ProgramRuns;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The programs that the classifier is compared with: this module's own, under src/main/bpf. */
final class BenchPrograms implements AutoCloseable {
  /** The classifier's own compiler flags. */
  private static final List<String> FLAGS =
      List.of("-O2", "-g", "-target", "bpf", "-mcpu=v3", "-Wall", "-Werror");

  static final String EMPTY = "empty";
  static final String CLOCK = "clock";

  private static final List<String> TEXTBOOK_MAPS = List.of("xfsm", "global_registers", "packets");
  private static final long SECOND = 1_000_000_000;

  private final Kernel kernel;
  private final Path objects;
  private final Path bpffs;
  private final String include;
  private final List<Integer> descriptors = new ArrayList<>();

  /**
   * @param objects receives the compiled programs
   * @param bpffs a folder on a BPF file system
   */
  BenchPrograms(Kernel kernel, Path objects, Path bpffs) {
    this.kernel = kernel;
    this.objects = objects;
    this.bpffs = bpffs;
    String machine = Commands.run("clang", "-dumpmachine").strip();
    this.include = "/usr/include/" + machine.replaceFirst("-.*", "") + "-linux-gnu";
  }

  /** A program that does nothing. */
  Subject empty() {
    return Subject.uncounted(EMPTY, load("empty", "empty", List.of(), Map.of()));
  }

  /** A program that reads the exact clock once. */
  Subject clock() {
    return Subject.uncounted(CLOCK, load("clock", "clock_reading", List.of(), Map.of()));
  }

  /**
   * The textbook's token bucket.
   *
   * @param key NODE, SOURCE or FLOW
   */
  Subject textbook(String key, String name, Expected expected) {
    Path folder = bpffs.resolve("textbook-" + key + "-" + expected);
    Map<String, Path> pins = new HashMap<>();
    TEXTBOOK_MAPS.forEach(map -> pins.put(map, folder.resolve(map)));
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new StepFailedException("making " + folder, e);
    }
    int program = load("textbook", "textbook", List.of("KEY=KEY_" + key), pins);
    fillXfsm(open(folder.resolve("xfsm")));
    kernel.update(open(folder.resolve("global_registers")), 0, globals(expected));
    int packets = open(folder.resolve("packets"));
    return new Subject(
        name, program, expected, () -> new Counted(sum(packets, 1), sum(packets, 0)));
  }

  /** A program for TC that drops everything. */
  int drop() {
    return load("drop", "drop", List.of(), Map.of());
  }

  /** A program for XDP that drops everything. */
  int dropAtXdp() {
    return load("drop", "drop_at_xdp", List.of(), Map.of());
  }

  /**
   * A program that sends frames into an interface, for {@link ProgramRuns#sendLive}.
   *
   * @param sources the source addresses
   */
  int flood(int ifindex, Sources sources) {
    byte[] flood =
        structure(12)
            .putInt(ifindex)
            .putInt((int) (sources.count() - 1))
            .putInt(sources == Sources.RANDOM ? 1 : 0)
            .array();
    return opened(
        kernel.load(
            compile("flood", List.of()), "send_flood", Map.of(), Map.of(".rodata.flood", flood)));
  }

  /** Maps {state, conditions}, both 16 bits, to rows of {next state, update, action}. */
  private void fillXfsm(int xfsm) {
    int stay = 0;
    int move = 1;
    int placeAnew = 2;
    List<Integer> updates = List.of(stay, move, placeAnew, placeAnew);
    for (int conditions = 0; conditions < updates.size(); conditions++) {
      int update = updates.get(conditions);
      int action = update == stay ? 0 : 1;
      int key = ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? conditions : conditions << 16;
      kernel.update(xfsm, key, structure(12).putInt(0).putInt(update).putInt(action).array());
    }
  }

  /**
   * 1/Q and B/Q in nanoseconds. Q is one packet per nanosecond if packets must conform, and one
   * packet per second otherwise.
   */
  private static byte[] globals(Expected expected) {
    long packetNanos = expected == Expected.CONFORM ? 1 : SECOND;
    return structure(16).putLong(packetNanos).putLong(packetNanos * BenchPolicies.BURST).array();
  }

  private static ByteBuffer structure(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
  }

  private long sum(int perCpu, int key) {
    return kernel.lookupPerCpu(perCpu, key, Long.BYTES).stream()
        .mapToLong(value -> ByteBuffer.wrap(value).order(ByteOrder.nativeOrder()).getLong())
        .sum();
  }

  private int open(Path pin) {
    return opened(kernel.open(pin));
  }

  private int load(String source, String program, List<String> defines, Map<String, Path> pins) {
    return opened(kernel.load(compile(source, defines), program, pins, Map.of()));
  }

  private int opened(int descriptor) {
    descriptors.add(descriptor);
    return descriptor;
  }

  private Path compile(String source, List<String> defines) {
    Path text = objects.resolve(source + ".bpf.c");
    String variant = String.join("-", defines).replace('=', '-');
    Path object = objects.resolve(source + variant + ".bpf.o");
    try (InputStream in = BenchPrograms.class.getResourceAsStream("/bench/" + source + ".bpf.c")) {
      if (in == null) {
        throw new IOException("the jar holds no /bench/" + source + ".bpf.c");
      }
      Files.createDirectories(objects);
      Files.copy(in, text, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new StepFailedException("compiling " + source + ": " + e.getMessage(), e);
    }
    List<String> command = new ArrayList<>(List.of("clang"));
    command.addAll(FLAGS);
    defines.forEach(define -> command.add("-D" + define));
    command.addAll(List.of("-I", include, "-c", text.toString(), "-o", object.toString()));
    Commands.run(command);
    return object;
  }

  @Override
  public void close() {
    descriptors.forEach(kernel::close);
  }
}
