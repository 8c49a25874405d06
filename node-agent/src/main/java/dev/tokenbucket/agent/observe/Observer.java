// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.observe;

import dev.tokenbucket.agent.kernel.Attachment;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.layout.ObservationCountersLayout;
import dev.tokenbucket.agent.layout.ObservationLayout;
import dev.tokenbucket.agent.layout.ObservedDirection;
import dev.tokenbucket.agent.pins.Layouts;
import dev.tokenbucket.agent.slots.Sums;
import dev.tokenbucket.api.v1alpha1.Direction;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Receives the packets that exceed, from the classifier. For one thread only. */
public final class Observer implements AutoCloseable {
  private static final long SECOND = 1_000_000_000L;

  private final Kernel kernel;
  private final Request request;
  private final Consumer<String> notices;
  private final ObservedPolicies policies;
  private final ObserverRing ring;
  private final int ifindex;
  private final Map<Integer, String> interfaces = new HashMap<>();
  private long granted;

  /**
   * What to observe.
   *
   * @param policies names; empty for all policies
   * @param interfaceName null for all interfaces, in both directions
   * @param sample one of this many
   * @param rate the most events per second
   */
  public record Request(
      Set<String> policies,
      @Nullable String interfaceName,
      Direction direction,
      int sample,
      int rate) {
    public Request {
      policies = Set.copyOf(policies);
    }
  }

  /**
   * Whether any hook runs a program of the agent.
   *
   * @param objects the folder of the classifier's objects
   */
  public static boolean findsHooks(Kernel kernel, Path bpffs, Path objects) {
    ObservedPolicies policies = new ObservedPolicies(kernel, bpffs, objects);
    policies.read();
    return !policies.hooks().isEmpty();
  }

  /**
   * Begins to observe.
   *
   * @param objects the folder of the classifier's objects
   * @param notices receives what a reader of the events should know
   * @throws IllegalStateException if nothing of what is asked for can be observed
   */
  public Observer(
      Kernel kernel, Path bpffs, Path objects, Request request, Consumer<String> notices) {
    this.kernel = kernel;
    this.request = request;
    this.notices = notices;
    this.policies = new ObservedPolicies(kernel, bpffs, objects);
    policies.read();
    this.ifindex = observedInterface();
    requireNewEnough();
    requirePolicies();
    this.ring = new ObserverRing(kernel, Layouts.on(bpffs).own());
    grant();
    ring.place();
  }

  /** The index of the interface to observe, 0 for all. */
  private int observedInterface() {
    String name = request.interfaceName();
    if (name == null) {
      return 0;
    }
    return kernel
        .interfaceIndex(name)
        .orElseThrow(() -> new IllegalStateException("this host has no interface " + name));
  }

  private boolean isObserved(Attachment hook) {
    return ifindex == 0
        || (hook.ifindex() == ifindex && hook.point().direction() == request.direction());
  }

  private void requireNewEnough() {
    Set<Attachment> asked =
        policies.hooks().stream().filter(this::isObserved).collect(Collectors.toSet());
    if (asked.isEmpty()) {
      throw new IllegalStateException(
          "%s %s runs no Tokenbucket program, so nothing limits packets there"
              .formatted(request.interfaceName(), request.direction()));
    }
    if (policies.silent().containsAll(asked)) {
      throw new IllegalStateException(
          "the programs that run here are of an older agent, and can't show refusals; start an"
              + " agent of this version first");
    }
  }

  private void requirePolicies() {
    for (String wanted : request.policies()) {
      if (!policies.names().contains(wanted)) {
        throw new IllegalStateException(
            "--policy %s: no policy of this name is in force on this host; those in force are: %s"
                .formatted(wanted, String.join(", ", policies.names())));
      }
    }
  }

  /** Says what is asked for, and grants the events of the second that begins. */
  private void grant() {
    granted = System.nanoTime();
    byte[] slots =
        Arrays.copyOf(policies.slotsOf(request.policies()), ObservationLayout.SLOTS.size());
    ring.ask(
        ObservationLayout.STRUCT.encode(
            to -> {
              ObservationLayout.CREDIT.putLong(to, request.rate());
              ObservationLayout.SAMPLE.putInt(to, request.sample());
              ObservationLayout.IFINDEX.putInt(to, ifindex);
              ObservationLayout.DIRECTIONS.putInt(to, directions());
              ObservationLayout.SLOTS.put(to, slots);
            }));
  }

  private int directions() {
    if (ifindex == 0) {
      return ObservedDirection.OBSERVED_INGRESS | ObservedDirection.OBSERVED_EGRESS;
    }
    return request.direction() == Direction.Egress
        ? ObservedDirection.OBSERVED_EGRESS
        : ObservedDirection.OBSERVED_INGRESS;
  }

  /**
   * The next packets that exceeded; none if there are none within the wait. To be called at least
   * once per second, or the kernel shows fewer than the rate allows.
   */
  public List<Excess> next(Duration longest) {
    if (System.nanoTime() - granted >= SECOND) {
      follow();
      grant();
    }
    return read(ring.poll(longest));
  }

  /** Reads again which policies are in force. */
  private void follow() {
    Set<String> before = policies.names();
    policies.read();
    interfaces.clear();
    if (!policies.names().equals(before)) {
      notices.accept(
          policies.names().isEmpty()
              ? "no policy is in force on this host any more"
              : "the policies in force have changed; now these are: "
                  + String.join(", ", policies.names()));
    }
  }

  private List<Excess> read(List<ByteBuffer> taken) {
    ExcessReader reader = new ExcessReader(Instant.now(), System.nanoTime());
    return taken.stream().map(event -> read(reader, event)).toList();
  }

  private Excess read(ExcessReader reader, ByteBuffer event) {
    int slot = ExcessReader.slot(event);
    if (policies.at(slot).isEmpty()) {
      follow();
    }
    String interfaceName =
        interfaces.computeIfAbsent(
            ExcessReader.ifindex(event),
            index -> kernel.interfaceName(index).orElse("index " + index));
    return reader.read(event, policies.at(slot), interfaceName);
  }

  /** Ends the observation; returns the packets that were still on the way. */
  public List<Excess> end() {
    ring.remove();
    return read(ring.poll(Duration.ZERO));
  }

  /**
   * What happened to all packets, after the end.
   *
   * @param shown how many of those handed out were shown
   */
  public ObservationSummary summary(long shown) {
    Sums counted = ring.counters();
    return ObservationSummary.of(
        counted.of(ObservationCountersLayout.SEEN),
        shown,
        counted.of(ObservationCountersLayout.SAMPLED_OUT),
        counted.of(ObservationCountersLayout.OVER_RATE),
        counted.of(ObservationCountersLayout.LOST));
  }

  @Override
  public void close() {
    ring.close();
  }
}
