// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.testing.FaultProxy.Fate;
import dev.tokenbucket.testing.FaultProxy.Forward;
import dev.tokenbucket.testing.FaultProxy.Lose;
import dev.tokenbucket.testing.FaultProxy.LoseAnswer;
import dev.tokenbucket.testing.FaultProxy.Refuse;
import dev.tokenbucket.testing.FaultProxy.Request;
import dev.tokenbucket.testing.FaultProxy.Rewrite;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * A real operator with a bad connection to the real API server, in each way in which it can be bad.
 */
@ExtendWith(ControlPlaneExtension.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ApiTroubleTest {
  private static final int NODES = 60;
  private static final Duration LONG = Duration.ofSeconds(90);
  private static final Refuse THROTTLED = new Refuse(429, "TooManyRequests", "Retry-After: 1\r\n");
  private static final Refuse BROKEN = new Refuse(500, "InternalError", "");
  private static final Refuse CONFLICT = new Refuse(409, "Conflict", "");

  private ControlPlane controlPlane;
  private Cluster cluster;
  private SimulatedNodes nodes;
  private SimulatedAgents agents;
  private FaultProxy proxy;
  private OperatorPod operator;

  @BeforeAll
  void startBehindTheProxy(ControlPlane controlPlane, @TempDir Path work) {
    this.controlPlane = controlPlane;
    cluster = new Cluster(controlPlane);
    nodes = new SimulatedNodes(controlPlane, "trouble", NODES);
    agents = SimulatedAgents.start(controlPlane);
    proxy = new FaultProxy(controlPlane);
    operator =
        new OperatorPod(
            cluster,
            "troubled",
            work.resolve("operator.log"),
            Map.of("KUBECONFIG", cluster.operatorKubeconfig(proxy.address()).toString()));
  }

  @AfterEach
  void endTheTrouble() {
    proxy.decide(request -> new Forward());
    nodes.removePolicies();
  }

  @AfterAll
  void end() {
    nodes.close();
    operator.close();
    proxy.close();
    agents.close();
  }

  @Test
  void conflictsThrottlingErrorsAndLostAnswersLoseNothingAndRepeatNothingThatMatters() {
    Random random = new Random(20261125);
    Map<Class<?>, AtomicInteger> injected = new ConcurrentHashMap<>();
    proxy.decide(
        request -> {
          Fate fate = request.isLease() ? new Forward() : trouble(request, random);
          injected.computeIfAbsent(fate.getClass(), any -> new AtomicInteger()).incrementAndGet();
          return fate;
        });
    nodes.apply("p", 100);
    awaitRates(Map.of(100L, NODES));
    nodes.apply("p", 200);
    awaitRates(Map.of(200L, NODES));
    nodes.apply("q", 300);
    awaitRates(Map.of(200L, NODES, 300L, NODES));
    nodes.awaitProgrammed("p");
    nodes.awaitProgrammed("q");

    assertThat(injected).containsKeys(Refuse.class, Lose.class, LoseAnswer.class);
    // A node state's generation counts its changes. There are three: created, p changed, q added.
    assertThat(nodes.states())
        .allSatisfy(state -> assertThat(state.getMetadata().getGeneration()).isEqualTo(3));
  }

  /** Some two fifths of all writes fail, and one in ten reads. */
  private static Fate trouble(Request request, Random random) {
    int die = nextInt(random);
    if (!request.isWrite()) {
      return die < 10 ? BROKEN : new Forward();
    }
    return die < 10
        ? THROTTLED
        : die < 18
            ? BROKEN
            : die < 26
                ? CONFLICT
                : die < 32 ? new Lose() : die < 40 ? new LoseAnswer() : new Forward();
  }

  private static int nextInt(Random random) {
    synchronized (random) {
      return random.nextInt(100);
    }
  }

  @Test
  void aThrottledRequestComesBackNoSoonerThanItWasTold() {
    record Seen(String request, long at) {}
    List<Seen> refused = new CopyOnWriteArrayList<>();
    List<Long> returned = new CopyOnWriteArrayList<>();
    proxy.decide(
        request -> {
          if (!request.isWrite() || !request.target().contains("/tokenbucketnodestates/")) {
            return new Forward();
          }
          long now = System.nanoTime();
          List<Seen> before =
              refused.stream().filter(each -> each.request().equals(request.target())).toList();
          if (before.isEmpty()) {
            refused.add(new Seen(request.target(), now));
            return new Refuse(429, "TooManyRequests", "Retry-After: 2\r\n");
          }
          returned.add(TimeUnit.NANOSECONDS.toMillis(now - before.get(0).at()));
          return new Forward();
        });
    nodes.apply("p", 100);
    awaitRates(Map.of(100L, NODES));
    assertThat(refused).hasSize(NODES);
    assertThat(returned).allSatisfy(millis -> assertThat(millis).isGreaterThanOrEqualTo(2_000));
  }

  @Test
  void whatChangesWhileNoWatchGetsThroughIsFoundAfterwards() {
    nodes.apply("p", 100);
    awaitRates(Map.of(100L, NODES));
    proxy.decide(request -> request.isWatch() ? new Refuse(503, "Unavailable", "") : new Forward());
    proxy.dropWatches();
    nodes.apply("p", 200);
    nodes.label(0, "fleet", "none");
    Daemon.pause(Duration.ofSeconds(3));
    proxy.decide(request -> new Forward());
    awaitRates(Map.of(200L, NODES - 1));
    nodes.label(0, "fleet", "trouble");
    awaitRates(Map.of(200L, NODES));
  }

  @Test
  void anExpiredResourceVersionListsAnew() {
    nodes.apply("p", 100);
    awaitRates(Map.of(100L, NODES));
    AtomicInteger expired = new AtomicInteger();
    // The API server itself says that version 1 has expired.
    proxy.decide(
        request -> {
          if (request.isWatch() && expired.getAndIncrement() < 6) {
            return new Rewrite(
                request.target().replaceAll("resourceVersion=\\d+", "resourceVersion=1"));
          }
          return new Forward();
        });
    proxy.dropWatches();
    nodes.apply("p", 200);
    awaitRates(Map.of(200L, NODES));
    assertThat(expired.get()).isGreaterThanOrEqualTo(6);
  }

  @Test
  void anApiServerThatIsKilledAndComesBackIsGoneOnWith() {
    nodes.apply("p", 100);
    awaitRates(Map.of(100L, NODES));
    nodes.apply("p", 200);
    controlPlane.restartApiServer();
    nodes.apply("q", 300);
    awaitRates(Map.of(200L, NODES, 300L, NODES));
    nodes.awaitProgrammed("p");
    nodes.awaitProgrammed("q");
  }

  /**
   * One renewal is throttled for some 7 s and then let through, and all later ones are throttled:
   * others may take the lease 10 s after the time that the record says.
   */
  @Test
  void noWriteGoesOutPastTheLeaseWhenRenewalsAreThrottled() {
    nodes.apply("p", 100);
    awaitRates(Map.of(100L, NODES));
    AtomicInteger tries = new AtomicInteger();
    AtomicLong first = new AtomicLong();
    AtomicLong lastWrite = new AtomicLong();
    int before = operator.starts();
    proxy.decide(
        request -> {
          if (request.isLease() && request.isWrite() && operator.starts() == before) {
            first.compareAndSet(0, System.nanoTime());
            return tries.getAndIncrement() == 3
                ? new Forward()
                : new Refuse(429, "TooManyRequests", "Retry-After: 2\r\n");
          }
          if (request.isWrite()
              && request.target().contains("/tokenbucket")
              && operator.starts() == before) {
            lastWrite.set(System.nanoTime());
          }
          return new Forward();
        });
    Poll.until("throttling", () -> tries.get() > 0);
    for (int i = 0; operator.starts() == before && i < 300; i++) {
      nodes.label(i % NODES, "fleet", i / NODES % 2 == 0 ? "none" : "trouble");
      Daemon.pause(Duration.ofMillis(100));
    }
    proxy.decide(request -> new Forward());
    nodes.relabel(index -> Map.of("fleet", "trouble"));
    awaitRates(Map.of(100L, NODES));
    assertThat(Duration.ofNanos(lastWrite.get() - first.get())).isLessThan(Duration.ofSeconds(10));
  }

  private void awaitRates(Map<Long, Integer> expected) {
    Poll.until("rates " + expected, LONG, () -> rates().equals(expected));
  }

  private Map<Long, Integer> rates() {
    return nodes.states().stream()
        .flatMap(state -> state.getSpec().policies().stream())
        .collect(Collectors.toMap(NodePolicy::rate, each -> 1, Integer::sum));
  }
}
