// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.bench;

import dev.tokenbucket.testing.Commands;
import dev.tokenbucket.testing.StepFailedException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;

/**
 * A veth pair: packets that enter one end arrive at the other, which is limited. The limited end
 * receives with NAPI, because without NAPI frames from XDP are silently dropped before any hook.
 * Packets that pass the limiter have a foreign destination address. Routing drops and counts them.
 */
final class FloodedInterface {
  static final String NAME = "limited";
  static final String SENDER = "flood";

  /** In the senders' network, so that routing accepts their addresses. */
  private static final String ADDRESS = "10.77.255.1/16";

  private static final Path DEVICES = Path.of("/proc/net/dev");
  private static final Path PROTOCOLS = Path.of("/proc/net/snmp");
  private static final int RECEIVED_PACKETS = 1;
  private static final String PASSED = "InAddrErrors";

  /**
   * Packets since the interface was created: all arrivals, and the arrivals that passed the
   * limiter.
   */
  record Counters(long arrived, long passed) {
    Counters since(Counters before) {
      return new Counters(arrived - before.arrived, passed - before.passed);
    }
  }

  private FloodedInterface() {}

  /** Creates the pair in this network namespace. */
  static FloodedInterface make() {
    Commands.run("ip", "link", "add", SENDER, "type", "veth", "peer", "name", NAME);
    Commands.run("ethtool", "-K", NAME, "gro", "on");
    setting("ipv4/conf/all/forwarding", "0");
    setting("ipv4/conf/all/rp_filter", "0");
    setting("ipv4/conf/" + NAME + "/rp_filter", "0");
    // Without IPv6 addresses, neither end sends anything by itself.
    setting("ipv6/conf/" + SENDER + "/disable_ipv6", "1");
    setting("ipv6/conf/" + NAME + "/disable_ipv6", "1");
    Commands.run("ip", "addr", "add", ADDRESS, "dev", NAME);
    Commands.run("ip", "link", "set", SENDER, "up");
    Commands.run("ip", "link", "set", NAME, "up");
    return new FloodedInterface();
  }

  private static void setting(String name, String value) {
    try {
      Files.writeString(Path.of("/proc/sys/net").resolve(name), value);
    } catch (IOException e) {
      throw new StepFailedException("setting net/" + name + ": " + e.getMessage(), e);
    }
  }

  /** The destination address of the sender's frames. */
  byte[] linkAddress() {
    String link = Commands.run("ip", "-brief", "link", "show", "dev", NAME);
    return HexFormat.ofDelimiter(":").parseHex(link.strip().split("\\s+", -1)[2]);
  }

  Counters counters() {
    return new Counters(arrived(), passed());
  }

  /** Packets that the device has received; it counts a packet when it hands the packet up. */
  long arrived() {
    return lines(DEVICES).stream()
        .map(String::strip)
        .filter(line -> line.startsWith(NAME + ":"))
        .map(line -> line.substring(NAME.length() + 1).strip().split("\\s+", -1))
        .map(fields -> Long.parseLong(fields[RECEIVED_PACKETS]))
        .findFirst()
        .orElseThrow(() -> new StepFailedException("no interface " + NAME, null));
  }

  private static long passed() {
    List<String[]> ip =
        lines(PROTOCOLS).stream()
            .filter(line -> line.startsWith("Ip:"))
            .map(line -> line.split(" ", -1))
            .toList();
    return Long.parseLong(ip.get(1)[List.of(ip.get(0)).indexOf(PASSED)]);
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new StepFailedException("reading " + file, e);
    }
  }
}
