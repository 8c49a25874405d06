// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.capture;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.capture.CaptureFiles.Frame;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Captures of both formats, and files that only look like some. */
class CaptureReaderProperties {
  private static final int ETHERNET = 1;
  private static final long SECOND = 1_000_000_000;

  private static List<Frame> frames(Random random, int count, boolean micros) {
    List<Frame> frames = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      byte[] bytes = new byte[random.nextInt(1600)];
      random.nextBytes(bytes);
      long nanos = random.nextInt(Integer.MAX_VALUE) * SECOND + random.nextInt((int) SECOND);
      frames.add(new Frame(micros ? nanos / 1_000 * 1_000 : nanos, bytes));
    }
    return frames;
  }

  @Property(tries = 40)
  void whatWasWrittenIsRead(
      @ForAll long seed, @ForAll @IntRange(max = 20) int count, @ForAll boolean big)
      throws IOException {
    ByteOrder order = big ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
    List<Frame> micros = frames(new Random(seed), count, true);
    List<Frame> nanos = frames(new Random(seed), count, false);

    assertThat(CaptureFiles.read(CaptureFiles.pcap(ETHERNET, false, order, micros)))
        .isEqualTo(micros);
    assertThat(CaptureFiles.read(CaptureFiles.pcap(ETHERNET, true, order, nanos))).isEqualTo(nanos);
    assertThat(CaptureFiles.read(CaptureFiles.pcapng(ETHERNET, order, nanos))).isEqualTo(nanos);
  }

  @Property(tries = 20)
  void whatTheWriterWritesIsRead(@ForAll long seed, @ForAll @IntRange(max = 20) int count)
      throws IOException {
    List<Frame> frames = frames(new Random(seed), count, false);
    Path file = Files.createTempFile("written", ".pcap");
    try {
      byte[] read = CaptureFiles.pcap(ETHERNET, true, ByteOrder.BIG_ENDIAN, frames);
      Files.write(file, read);
      Path copy = Files.createTempFile("copy", ".pcap");
      try (CaptureReader reader = CaptureReader.open(file);
          PcapWriter writer = PcapWriter.to(copy)) {
        while (reader.next()) {
          writer.write(reader.frame());
        }
      }
      assertThat(CaptureFiles.read(Files.readAllBytes(copy))).isEqualTo(frames);
      Files.delete(copy);
    } finally {
      Files.delete(file);
    }
  }

  /** Whatever bytes are changed or missing, a reader ends with frames or with one clear message. */
  @Property(tries = 300)
  void aDamagedFileIsToldOf(@ForAll long seed, @ForAll boolean ng) {
    Random random = new Random(seed);
    List<Frame> frames = frames(random, 5, false);
    byte[] whole =
        ng
            ? CaptureFiles.pcapng(ETHERNET, ByteOrder.LITTLE_ENDIAN, frames)
            : CaptureFiles.pcap(ETHERNET, true, ByteOrder.LITTLE_ENDIAN, frames);
    byte[] damaged = Arrays.copyOf(whole, 1 + random.nextInt(whole.length));
    for (int i = random.nextInt(4); i > 0; i--) {
      // Most damage is done where lengths are.
      int most = random.nextBoolean() ? damaged.length : Math.min(64, damaged.length);
      damaged[random.nextInt(most)] = (byte) random.nextInt();
    }
    try {
      CaptureFiles.read(damaged);
    } catch (CaptureException e) {
      assertThat(e).hasMessageMatching("capture, at byte [0-9,]+: .+");
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Example
  void aFileThatIsNoCaptureIsRefused() {
    assertRefused(
        "not a capture at all".getBytes(StandardCharsets.US_ASCII), "neither pcap nor pcapng");
    assertRefused(new byte[2], "the file ends within its first four bytes");
  }

  @Example
  void aLengthThatNoFrameHasIsRefused() {
    byte[] pcap =
        CaptureFiles.pcap(
            ETHERNET, true, ByteOrder.BIG_ENDIAN, List.of(new Frame(0, new byte[60])));
    pcap[24 + 8] = 0x7f;
    assertRefused(
        pcap, "at byte 40: packet 1 has 2,130,706,492 bytes; at most 262,144 are allowed");
  }

  @Example
  void aLinkThatTheClassifierDoesNotReadIsRefused() {
    assertRefused(
        CaptureFiles.pcap(105, true, ByteOrder.BIG_ENDIAN, List.of()), "unsupported link type 105");
    assertRefused(
        CaptureFiles.pcapng(105, ByteOrder.BIG_ENDIAN, List.of()), "unsupported link type 105");
  }

  /** Of 10^-6 s, the default, of 2^-10 s, and from a second on. */
  @Example
  void timesOfEveryResolutionAreNanoseconds() throws IOException {
    PcapngInterface micros = new PcapngInterface(LinkType.ETHERNET, false, 6, 0);
    PcapngInterface binary = new PcapngInterface(LinkType.ETHERNET, true, 10, 0);
    PcapngInterface later = new PcapngInterface(LinkType.ETHERNET, false, 12, 100);
    try (CaptureInput in = new CaptureInput(java.io.InputStream.nullInputStream(), "capture")) {
      assertThat(micros.nanos(in, 0, 1_500_000, 1)).isEqualTo(1_500_000_000L);
      assertThat(binary.nanos(in, 0, 1_536, 1)).isEqualTo(1_500_000_000L);
      assertThat(later.nanos(in, 0, 5_000, 1)).isEqualTo(100 * SECOND + 5);
    }
  }

  private static void assertRefused(byte[] file, String why) {
    try {
      CaptureFiles.read(file);
      throw new AssertionError("it was read");
    } catch (IOException e) {
      assertThat(e).isInstanceOf(CaptureException.class).hasMessageContaining(why);
    }
  }
}
