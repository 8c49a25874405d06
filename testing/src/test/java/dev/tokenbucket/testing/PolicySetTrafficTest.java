// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Policies that come, go, change places and parameters while packets flow. */
class PolicySetTrafficTest extends HostTest {
  private static final int FLOOD = 5_000;
  private static final int RATE = 1_000;
  private static final int BURST = 500;
  private static final String MATCH = "direction: Egress, match: [{destinationPorts: [5000]}]";

  private static String always() {
    return policy(
        "always",
        "priority: 1, "
            + MATCH
            + ", rate: {packetsPerSecond: %d}, burst: {packets: %d}".formatted(RATE, BURST));
  }

  private static String other(String name, int priority) {
    return policy(
        name, "priority: %d, ".formatted(priority) + MATCH + ", rate: {packetsPerSecond: 100k}");
  }

  /** Sets that differ in what they hold or in its order, round and round. */
  private static String set(int turn) {
    return switch (turn % 4) {
      case 0 -> always() + other("b", 5) + other("c", 6);
      case 1 -> always() + other("b", 6) + other("c", 5);
      case 2 -> always() + other("c", 5);
      default -> always() + other("d", 7);
    };
  }

  /** Egress is judged where the sender's call is, so nothing is lost on the way to the hook. */
  @Test
  void noPacketIsUnclassifiedWhileTheSetIsSwapped() throws IOException {
    apply(set(3));
    int heard = agent.log().length();
    TrafficRun.Result result;
    try (TrafficRun run = flood(host::inside, network::atSource, "10.88.1.2", host.address(), 5)) {
      for (int turn = 0; turn < 25; turn++) {
        write(set(turn));
        Daemon.pause(Duration.ofMillis(200));
      }
      result = run.result();
    }
    JsonNode counted = host.policy("always");
    long conform = counted.path("conformPackets").asLong();
    long sent = result.sentBy(host.address());
    long swaps = Pattern.compile("replaced the program of").matcher(agent.log()).results().count();
    System.out.printf(
        "set swapped under load: %d packets sent, %d conformed, %d arrived, %d swaps%n",
        sent, conform, result.received().total(), swaps);

    assertThat(agent.log().substring(heard)).doesNotContain("not programmed");
    assertThat(swaps).isGreaterThanOrEqualTo(5);
    assertThat(conform + counted.path("exceedPackets").asLong()).isEqualTo(sent);
    assertThat(Arrivals.mostBeyondTheBound(result.received().arrivals(), RATE, BURST))
        .isLessThanOrEqualTo(0.02 * RATE);
    assertThat(conform).isGreaterThanOrEqualTo(result.received().total());
  }

  @Test
  void noChangeOfRateUnderLoadRefillsTheBucket() throws IOException {
    apply(rate(RATE));
    TrafficRun.Result result;
    int changes = 0;
    try (TrafficRun run = flood(network::atSource, host::inside, host.address(), "10.88.1.2", 10)) {
      long end = System.nanoTime() + Duration.ofSeconds(11).toNanos();
      while (System.nanoTime() < end) {
        changes++;
        change(rate(changes % 2 == 0 ? RATE : RATE * 6 / 5));
      }
      result = run.result();
    }
    List<Long> arrivals = result.received().arrivals();
    double worst = Arrivals.mostBeyondTheBound(arrivals, RATE * 1.2, BURST);
    System.out.printf(
        "rate changed %d times under load: %d packets arrived, closest %.1f under the bound%n",
        changes, arrivals.size(), -worst);

    assertThat(changes).isGreaterThanOrEqualTo(5);
    assertThat(worst).isLessThanOrEqualTo(0.02 * RATE);
    assertThat(result.received().perSecond()).isBetween(RATE * 0.98, RATE * 1.22);
  }

  private static String rate(int rate) {
    return policy(
        "changing",
        "match: [{destinationPorts: [5000]}],"
            + " rate: {packetsPerSecond: %d}, burst: {packets: %d}".formatted(rate, BURST));
  }

  @Test
  void ofMoreThan256TermsOnAHookThePoliciesThatFitAreInForce() throws IOException {
    String good = policy("good", "rate: {packetsPerSecond: 7}, burst: {packets: 5}");
    apply(good);
    String terms =
        IntStream.range(0, 64)
            .mapToObj(i -> "{destinationPorts: [%d]}".formatted(9_000 + i))
            .collect(Collectors.joining(", ", "[", "]"));
    List<String> many = new ArrayList<>(List.of(good));
    for (int i = 0; i < 5; i++) {
      many.add(policy("many-" + i, "match: " + terms + ", rate: {packetsPerSecond: 10}"));
    }
    write(String.join("", many));
    agent.awaitLog("a hook holds at most 256 terms", Duration.ofSeconds(10));
    Poll.until(
        "the refusal in the status",
        () -> host.status().path("refused").toString().contains("at most 256 terms"));

    assertThat(host.status().at("/hooks/0/policies").findValuesAsText("name"))
        .containsExactly("good", "many-0", "many-1", "many-2", "many-3");
    assertThat(host.status().path("refused").toString()).contains("many-4: eth0 Ingress: ");
    assertThat(host.policy("good").path("rate").asInt()).isEqualTo(7);
  }

  private TrafficRun flood(
      UnaryOperator<List<String>> sending,
      UnaryOperator<List<String>> receiving,
      String to,
      String from,
      double seconds) {
    return TrafficRun.start(
        sending, receiving, to, List.of(new TrafficRun.Sender(from, FLOOD)), seconds, true);
  }
}
