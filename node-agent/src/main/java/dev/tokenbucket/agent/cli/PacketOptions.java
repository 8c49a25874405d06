// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import dev.tokenbucket.agent.capture.CaptureReader;
import dev.tokenbucket.agent.capture.CapturedFrame;
import dev.tokenbucket.agent.explain.Explainer;
import dev.tokenbucket.agent.explain.PacketFields;
import dev.tokenbucket.agent.host.CommandFailure;
import dev.tokenbucket.agent.host.CommandFailure.Exit;
import dev.tokenbucket.agent.kernel.PacketRunner;
import dev.tokenbucket.api.v1alpha1.Cidr;
import dev.tokenbucket.api.v1alpha1.IpProtocol;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** A packet, given in words, as bytes, or as one packet of a capture. */
public final class PacketOptions {
  private static final int MOST_PORT = 65_535;

  static final class Given {
    @ArgGroup(exclusive = false)
    @Nullable Words words;

    @Option(
        names = "--hex",
        paramLabel = "FRAME",
        description =
            "The frame's bytes as hexadecimal digits; white space and colons between them"
                + " are ignored.")
    @Nullable String hex;

    @ArgGroup(exclusive = false)
    @Nullable OfCapture capture;
  }

  static final class Words {
    @Option(names = "--src", paramLabel = "ADDRESS", description = "The source address.")
    @Nullable String source;

    @Option(names = "--dst", paramLabel = "ADDRESS", description = "The destination address.")
    @Nullable String destination;

    @Option(
        names = "--proto",
        paramLabel = "PROTOCOL",
        description = "tcp, udp, sctp, icmp or a number (default: tcp).")
    @Nullable String protocol;

    @Option(
        names = "--sport",
        paramLabel = "PORT",
        description = "The source port (default: 40000).")
    int sourcePort = 40_000;

    @Option(
        names = "--dport",
        paramLabel = "PORT",
        description = "The destination port (default: 80).")
    int destinationPort = 80;

    @Option(names = "--syn", description = "A TCP packet that opens a connection: SYN without ACK.")
    boolean syn;

    @Option(
        names = "--length",
        paramLabel = "BYTES",
        description = "The frame's length (default: that of its headers).")
    int length;
  }

  static final class OfCapture {
    @Option(
        names = "--pcap",
        required = true,
        paramLabel = "FILE",
        description = "A capture, pcap or pcapng.")
    Path file = Path.of("");

    @Option(
        names = "--packet",
        paramLabel = "N",
        defaultValue = "1",
        description =
            "The number of the packet in the capture; the first is 1 (default:"
                + " ${DEFAULT-VALUE}).")
    int number = 1;
  }

  @ArgGroup(multiplicity = "1")
  private Given given = new Given();

  private boolean ethernet = true;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec = CommandSpec.create();

  /** The packet. */
  Explainer.Frame frame() throws IOException {
    if (given.hex != null) {
      byte[] bytes = hex(given.hex);
      return any -> bytes;
    }
    if (given.capture != null) {
      byte[] bytes = captured(given.capture);
      boolean captured = ethernet;
      return wanted -> sameLink(bytes, captured, wanted);
    }
    PacketFields fields = fields(given.words == null ? new Words() : given.words);
    return fields::frame;
  }

  /** Whether the packet has an Ethernet header, as far as the packet shows. */
  boolean isEthernet() {
    return ethernet;
  }

  private static byte[] sameLink(byte[] bytes, boolean captured, boolean wanted) {
    if (captured && !wanted) {
      return Arrays.copyOfRange(bytes, Math.min(14, bytes.length), bytes.length);
    }
    if (!captured && wanted) {
      byte[] framed = new byte[14 + bytes.length];
      boolean ipv6 = bytes.length > 0 && bytes[0] >> 4 == 6;
      framed[12] = (byte) (ipv6 ? 0x86 : 0x08);
      framed[13] = (byte) (ipv6 ? 0xdd : 0x00);
      System.arraycopy(bytes, 0, framed, 14, bytes.length);
      return framed;
    }
    return bytes;
  }

  private byte[] hex(String text) {
    try {
      byte[] bytes = HexFormat.of().parseHex(text.replaceAll("[\\s:]", ""));
      return checked("--hex", bytes);
    } catch (IllegalArgumentException e) {
      throw wrong("--hex: " + e.getMessage());
    }
  }

  private byte[] checked(String option, byte[] frame) {
    if (frame.length < 20 || frame.length > PacketRunner.MAX_FRAME) {
      throw wrong(
          "%s: a frame of %,d bytes; from 20 to %,d are allowed"
              .formatted(option, frame.length, PacketRunner.MAX_FRAME));
    }
    return frame;
  }

  private byte[] captured(OfCapture of) throws IOException {
    if (of.number < 1) {
      throw wrong("--packet " + of.number + ": the first is 1");
    }
    try (CaptureReader reader = CaptureReader.open(of.file)) {
      while (reader.next()) {
        CapturedFrame frame = reader.frame();
        if (frame.number() == of.number) {
          ethernet = frame.link().isEthernet();
          int header = Math.min(frame.link().headerBytes(), frame.captured());
          byte[] bytes = Arrays.copyOfRange(frame.bytes(), header, frame.captured());
          int length = Math.min(frame.length() - header, PacketRunner.MAX_FRAME);
          return checked("--packet " + of.number, Arrays.copyOf(bytes, length));
        }
      }
      throw new CommandFailure(Exit.FAILED, "%s has no packet %d".formatted(of.file, of.number));
    }
  }

  private PacketFields fields(Words words) {
    InetAddress source = address("--src", words.source);
    InetAddress destination = address("--dst", words.destination);
    boolean ipv6 = isIpv6(source) || isIpv6(destination);
    port("--sport", words.sourcePort);
    port("--dport", words.destinationPort);
    if (words.length < 0 || words.length > PacketRunner.MAX_FRAME) {
      throw wrong(
          "--length %,d: at most %,d are allowed".formatted(words.length, PacketRunner.MAX_FRAME));
    }
    int protocol = protocol(words.protocol, ipv6);
    if (words.syn && protocol != IpProtocol.TCP.number()) {
      throw wrong("--syn requires --proto tcp");
    }
    try {
      return new PacketFields(
          source == null ? documented(ipv6, 2) : source,
          destination == null ? documented(ipv6, 1) : destination,
          protocol,
          words.sourcePort,
          words.destinationPort,
          words.syn,
          words.length);
    } catch (IllegalArgumentException e) {
      throw wrong(String.valueOf(e.getMessage()));
    }
  }

  private static boolean isIpv6(@Nullable InetAddress address) {
    return address != null && address.getAddress().length != Integer.BYTES;
  }

  private @Nullable InetAddress address(String option, @Nullable String text) {
    if (text == null) {
      return null;
    }
    return Cidr.parse(text + (text.indexOf(':') >= 0 ? "/128" : "/32"))
        .map(Cidr::address)
        .orElseThrow(() -> wrong(option + " \"" + text + "\": must be an IP address"));
  }

  /** An address of the networks reserved for documentation, which belong to no host. */
  private static InetAddress documented(boolean ipv6, int last) {
    return Cidr.parse(ipv6 ? "2001:db8::" + last + "/128" : "192.0.2." + last + "/32")
        .orElseThrow()
        .address();
  }

  private void port(String option, int port) {
    if (port < 0 || port > MOST_PORT) {
      throw wrong(option + " " + port + ": must be from 0 to " + MOST_PORT);
    }
  }

  private int protocol(@Nullable String text, boolean ipv6) {
    int number =
        IpProtocol.number(text == null ? "tcp" : text)
            .orElseThrow(
                () ->
                    wrong(
                        "--proto \""
                            + text
                            + "\": must be tcp, udp, sctp, icmp or a number up to"
                            + " 255"));
    return ipv6 && number == IpProtocol.ICMP.number() ? IpProtocol.ICMPV6.number() : number;
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
