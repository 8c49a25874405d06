// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.simulate;

import dev.tokenbucket.agent.hooks.HookConfiguration;
import dev.tokenbucket.agent.hooks.HookConfiguration.Placed;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.MappedMap;
import dev.tokenbucket.agent.kernel.PacketRunner;
import dev.tokenbucket.agent.layout.PacketReportLayout;
import dev.tokenbucket.agent.layout.PolicyParametersLayout;
import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.match.FailsafeTraffic;
import dev.tokenbucket.agent.pins.Pins;
import dev.tokenbucket.agent.slots.AxisLine;
import dev.tokenbucket.agent.slots.HashKey;
import dev.tokenbucket.agent.slots.PolicySlots;
import dev.tokenbucket.agent.slots.SlotIdentity;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.util.ArrayList;
import java.util.List;

/**
 * The classifier for a set of policies in the kernel, on no interface, on the packets' own clock.
 * Policy {@code i} has slot {@code i}. For one thread only: see {@link LoneClassifier}.
 */
public final class SimulatedHook implements AutoCloseable {
  /** The time when the buckets are created, full. */
  public static final long START = 1_000_000_000_000L;

  /** The first slot of second windows. */
  private static final int MARKING = HookConfiguration.MAX_POLICIES;

  /** The first slot of parent buckets. */
  private static final int PARENT = 2 * HookConfiguration.MAX_POLICIES;

  private final Kernel kernel;
  private final LoneClassifier classifier;
  private final MappedMap report;
  private final PacketRunner runner;
  private final PacketReport last = new PacketReport();

  /**
   * Loads the program.
   *
   * @param object the bytes of replay.bpf.o
   * @param ethernet whether frames begin with an Ethernet header; otherwise with the IP header
   * @param policies in the order in which they apply
   * @throws IllegalArgumentException if a hook has no room for that many policies or terms
   */
  public SimulatedHook(
      Kernel kernel,
      byte[] object,
      Direction direction,
      boolean ethernet,
      List<NodePolicy> policies,
      FailsafeSettings failsafes) {
    if (policies.size() > HookConfiguration.MAX_POLICIES) {
      throw new IllegalArgumentException(
          "%d policies; a hook holds at most %d"
              .formatted(policies.size(), HookConfiguration.MAX_POLICIES));
    }
    this.kernel = kernel;
    List<Placed> placed = new ArrayList<>();
    for (NodePolicy policy : policies) {
      placed.add(
          new Placed(policy, placed.size(), MARKING + placed.size(), PARENT + placed.size()));
    }
    HookConfiguration configuration =
        HookConfiguration.of(HashKey.random(), direction, ethernet, placed, failsafes);
    List<String> maps = new ArrayList<>(Pins.HOST_MAPS);
    maps.add(PacketReportLayout.SECTION);
    classifier = new LoneClassifier(kernel, object, configuration, maps);
    try {
      report =
          kernel.mapped(
              classifier.map(PacketReportLayout.SECTION), PacketReportLayout.STRUCT.size());
      runner = classifier.runner();
      placed.forEach(this::begin);
      for (FailsafeTraffic traffic : FailsafeTraffic.values()) {
        setParameters(traffic.slot(), PolicySlots.line(traffic, START));
      }
    } catch (RuntimeException e) {
      classifier.close();
      throw e;
    }
  }

  private void begin(Placed placed) {
    SlotIdentity own = SlotIdentity.of(placed.policy(), 0);
    placed
        .slots()
        .forEach(
            (slot, role) -> {
              SlotIdentity identity = own.as(role);
              if (identity.per().isTabled()) {
                classifier.tables().create(slot, identity);
              }
              setParameters(
                  slot, PolicySlots.line(identity, placed.policy(), START, kernel.possibleCpus()));
            });
  }

  private void setParameters(int slot, AxisLine line) {
    kernel.update(classifier.map(PolicyParametersLayout.MAP), slot, PolicySlots.parameters(line));
  }

  /**
   * Runs a packet.
   *
   * @param bytes an array that holds the frame
   * @param offset the frame's offset in the array
   * @param known the number of known bytes of the frame; bytes after these are zero
   * @param length the length of the frame, at most {@link PacketRunner#MAX_FRAME}
   * @param time nanoseconds; at {@link #START} the buckets were full
   * @return the outcome, valid until the next run
   */
  public PacketReport run(byte[] bytes, int offset, int known, int length, long time) {
    runner.load(bytes, offset, known, length);
    boolean dropped = LoneClassifier.drops(runner.run(time));
    last.take(report, dropped);
    return last;
  }

  @Override
  public void close() {
    report.close();
    classifier.close();
  }
}
