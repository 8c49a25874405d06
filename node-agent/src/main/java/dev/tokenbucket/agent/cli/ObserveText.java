// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import dev.tokenbucket.agent.observe.Excess;
import dev.tokenbucket.agent.observe.ObservationSummary;
import dev.tokenbucket.agent.simulate.Addresses;
import dev.tokenbucket.agent.source.Documents;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;

/** Packets that exceeded, a line each. */
record ObserveText(PrintWriter out) {
  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("HH:mm:ss.SSSSSS");

  void json(Object line) throws IOException {
    out.println(Documents.line(line));
  }

  void print(Excess packet) {
    out.printf(
        "%s  %s %s  %s %s  key %s  %s  %,d bytes%s%n",
        TIME.format(packet.time().atZone(ZoneId.systemDefault())),
        packet.interfaceName(),
        packet.direction(),
        packet.policy(),
        packet.outcome().text(),
        packet.key(),
        headers(packet),
        packet.length(),
        packet.packets() == 1 ? "" : " in %,d packets".formatted(packet.packets()));
  }

  private static String headers(Excess packet) {
    if (packet.source() == null) {
      return "unreadable";
    }
    return "%s %s > %s"
        .formatted(
            packet.protocol() == null ? "IP" : packet.protocol(),
            Addresses.end(String.valueOf(packet.source()), packet.sourcePort()),
            Addresses.end(String.valueOf(packet.destination()), packet.destinationPort()));
  }

  void print(ObservationSummary summary) {
    out.printf(
        "shown %,d, suppressed %,d (%,d by --sample, %,d by --rate, %,d by --count), lost %,d%n",
        summary.shown(),
        summary.suppressed(),
        summary.suppressedBySample(),
        summary.suppressedByRate(),
        summary.suppressedByCount(),
        summary.lost());
  }
}
