// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.simulate;

import dev.tokenbucket.agent.hooks.HookConfiguration;
import dev.tokenbucket.agent.hooks.HookConfiguration.Placed;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.KernelPrograms.ProgramAndMaps;
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
import java.util.Map;
import java.util.Objects;

/**
 * The classifier for a set of policies in the kernel, on no interface, on the packets' own clock.
 * Policy {@code i} has slot {@code i}. All maps belong to this hook and are not pinned. For one
 * thread only; the thread is kept on its CPU, so that the same packets get the same verdicts each
 * time.
 */
public final class SimulatedHook implements AutoCloseable {
  /** The time when the buckets are created, full. */
  public static final long START = 1_000_000_000_000L;

  private static final String PROGRAM = "tokenbucket";
  private static final int TC_ACT_SHOT = 2;

  /** The first slot of second windows. */
  private static final int MARKING = HookConfiguration.MAX_POLICIES;

  /** The first slot of parent buckets. */
  private static final int PARENT = 2 * HookConfiguration.MAX_POLICIES;

  private final Kernel kernel;
  private final ProgramAndMaps loaded;
  private final SimulatedTables tables;
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
    kernel.stayOnThisCpu();
    loaded =
        kernel.loadAlone(
            object,
            PROGRAM,
            Map.of(HookConfiguration.SECTION, configuration.encode()),
            configuration.maps(),
            maps);
    tables = new SimulatedTables(kernel, loaded.maps());
    try {
      report = kernel.mapped(map(PacketReportLayout.SECTION), PacketReportLayout.STRUCT.size());
      runner = kernel.packetRunner(loaded.program());
      placed.forEach(this::begin);
      for (FailsafeTraffic traffic : FailsafeTraffic.values()) {
        setParameters(traffic.slot(), PolicySlots.line(traffic, START));
      }
    } catch (RuntimeException e) {
      closeDescriptors();
      throw e;
    }
  }

  private int map(String name) {
    return Objects.requireNonNull(loaded.maps().get(name), name);
  }

  private void begin(Placed placed) {
    SlotIdentity own = SlotIdentity.of(placed.policy(), 0);
    placed
        .slots()
        .forEach(
            (slot, role) -> {
              SlotIdentity identity = own.as(role);
              if (identity.per().isTabled()) {
                tables.create(slot, identity);
              }
              setParameters(
                  slot, PolicySlots.line(identity, placed.policy(), START, kernel.possibleCpus()));
            });
  }

  private void setParameters(int slot, AxisLine line) {
    kernel.update(map(PolicyParametersLayout.MAP), slot, PolicySlots.parameters(line));
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
    boolean dropped = runner.run(time) == TC_ACT_SHOT;
    last.take(report, dropped);
    return last;
  }

  @Override
  public void close() {
    report.close();
    closeDescriptors();
  }

  private void closeDescriptors() {
    tables.close();
    kernel.close(loaded.program());
    loaded.maps().values().forEach(kernel::close);
  }
}
