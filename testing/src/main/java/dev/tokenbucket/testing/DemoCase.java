// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import java.util.List;

/**
 * One limit that the demo shows.
 *
 * @param sample the file under {@code deploy/samples}, and the policy's name
 * @param rate the policy's rate, in its unit
 * @param senders the last part of each source address, and its packets per second
 */
record DemoCase(String title, String sample, long rate, Unit unit, Path path, List<Load> senders) {
  enum Unit {
    PACKETS("packets/s"),
    BITS("bits/s");

    private final String text;

    Unit(String text) {
      this.text = text;
    }

    String text() {
      return text;
    }
  }

  /** The direction and protocol of the packets. */
  enum Path {
    INTO_HOST,
    INTO_HOST_IPV6,
    OUT_OF_HOST
  }

  record Load(int source, int packetsPerSecond) {}

  /**
   * The packets per second of a sender that is to be limited: several times the rate of every case.
   */
  private static final int FLOOD = 9_000;

  static final List<DemoCase> ALL =
      List.of(
          new DemoCase("node-wide", "node-wide", 2_000, Unit.PACKETS, Path.INTO_HOST, flood(2)),
          new DemoCase(
              "per source",
              "per-source",
              1_000,
              Unit.PACKETS,
              Path.INTO_HOST,
              List.of(new Load(2, 4_500), new Load(3, 4_500), new Load(4, 250))),
          new DemoCase("bits/s", "bandwidth", 2_000_000, Unit.BITS, Path.INTO_HOST, flood(2)),
          new DemoCase("IPv6", "node-wide", 2_000, Unit.PACKETS, Path.INTO_HOST_IPV6, flood(2)),
          new DemoCase("egress", "egress", 2_000, Unit.PACKETS, Path.OUT_OF_HOST, flood(2)));

  private static List<Load> flood(int source) {
    return List.of(new Load(source, FLOOD));
  }

  boolean perSource() {
    return senders.size() > 1;
  }

  TrafficRun start(TestNetwork network, TestHost host, double seconds, boolean withArrivals) {
    return switch (path) {
      case INTO_HOST -> into(network, host, host.address(), seconds, withArrivals);
      case INTO_HOST_IPV6 -> into(network, host, host.address6(), seconds, withArrivals);
      case OUT_OF_HOST ->
          TrafficRun.start(
              host::inside,
              network::atSource,
              host.source(senders.get(0).source()),
              List.of(new TrafficRun.Sender(host.address(), senders.get(0).packetsPerSecond())),
              seconds,
              withArrivals);
    };
  }

  private TrafficRun into(
      TestNetwork network, TestHost host, String to, double seconds, boolean withArrivals) {
    // The source has addresses in the host's own network.
    String net = to.substring(0, to.length() - 1);
    return TrafficRun.start(
        network::atSource,
        host::inside,
        to,
        senders.stream()
            .map(load -> new TrafficRun.Sender(net + load.source(), load.packetsPerSecond()))
            .toList(),
        seconds,
        withArrivals);
  }
}
