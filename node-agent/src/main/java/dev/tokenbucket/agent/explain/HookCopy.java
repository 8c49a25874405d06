// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.explain;

import dev.tokenbucket.agent.hooks.HookConfiguration.Placed;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.PacketRunner;
import dev.tokenbucket.agent.layout.BucketLayout;
import dev.tokenbucket.agent.layout.FailsafeCountLayout;
import dev.tokenbucket.agent.layout.FailsafeCountersLayout;
import dev.tokenbucket.agent.layout.PolicyParametersLayout;
import dev.tokenbucket.agent.layout.ReservationLayout;
import dev.tokenbucket.agent.layout.SharedBucketLayout;
import dev.tokenbucket.agent.layout.VerdictCountersLayout;
import dev.tokenbucket.agent.match.FailsafeTraffic;
import dev.tokenbucket.agent.pins.Pins;
import dev.tokenbucket.agent.simulate.LoneClassifier;
import dev.tokenbucket.agent.simulate.SimulatedTables;
import dev.tokenbucket.agent.slots.AxisLine;
import dev.tokenbucket.agent.slots.PolicySlots;
import dev.tokenbucket.agent.slots.SlotIdentity;
import dev.tokenbucket.agent.slots.Sums;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A second program, from the object and the configuration of a running one, with its own maps that
 * hold copies of the running program's values for the packet.
 */
final class HookCopy implements AutoCloseable {
  private final Kernel kernel;
  private final Pins pins;
  private final LoneClassifier copy;
  private final SimulatedTables tables;

  HookCopy(Kernel kernel, Pins pins, LiveHook live) {
    this.kernel = kernel;
    this.pins = pins;
    List<String> names = Stream.concat(Pins.HOST_MAPS.stream(), Pins.HOOK_MAPS.stream()).toList();
    this.copy = new LoneClassifier(kernel, bytes(live.object()), live.configuration(), names);
    this.tables = copy.tables();
    for (Placed placed : live.policies()) {
      slots(placed)
          .forEach(
              (slot, identity) -> {
                if (identity.per().isTabled()) {
                  tables.createForOne(slot, identity);
                }
              });
    }
  }

  /** The identities of the policy's slots, that of its own first. */
  private static Map<Integer, SlotIdentity> slots(Placed placed) {
    SlotIdentity own = SlotIdentity.of(placed.policy(), 0);
    Map<Integer, SlotIdentity> slots = new LinkedHashMap<>();
    placed.slots().forEach((slot, role) -> slots.put(slot, own.as(role)));
    return slots;
  }

  /** Copies the buckets of failsafe traffic. */
  void copyFailsafes() {
    for (FailsafeTraffic traffic : FailsafeTraffic.values()) {
      copyShared(traffic.slot());
    }
  }

  private static byte[] bytes(Path object) {
    try {
      return Files.readAllBytes(object);
    } catch (IOException e) {
      throw new UncheckedIOException("reading " + object, e);
    }
  }

  private void copyShared(int slot) {
    copyValue(PolicyParametersLayout.MAP, slot, PolicyParametersLayout.STRUCT.size());
    copyValue(SharedBucketLayout.MAP, slot, SharedBucketLayout.STRUCT.size());
    copyValue(ReservationLayout.MAP, slot, ReservationLayout.STRUCT.size() * kernel.possibleCpus());
  }

  private void copyValue(String name, int slot, int size) {
    byte[] value = kernel.read(pins.map(name), live -> kernel.lookup(live, slot, size));
    kernel.update(copy.map(name), slot, value);
  }

  /**
   * Copies a policy's parameters, and the buckets that judge a packet with this key.
   *
   * @return whether the key has no bucket, and gets none because the table is full
   */
  boolean copyPolicy(Placed placed, byte[] key) {
    LiveTables live = new LiveTables(kernel, pins);
    boolean overflows = false;
    for (Map.Entry<Integer, SlotIdentity> each : slots(placed).entrySet()) {
      int slot = each.getKey();
      SlotIdentity identity = each.getValue();
      copyShared(slot);
      if (identity.per().isTabled()) {
        Optional<byte[]> bucket = live.bucket(slot, identity, key);
        boolean full = bucket.isEmpty() && live.isFull(slot, identity);
        tables.fill(slot, identity, key, bucket, full);
        overflows |= full && slot == placed.slot();
      }
    }
    return overflows;
  }

  /**
   * The contents of a slot's shared bucket.
   *
   * @param reserved the part that CPUs hold in reserve
   */
  record Shared(long position, long reserved) {}

  Shared shared(int slot) {
    byte[] bucket =
        kernel.lookup(copy.map(SharedBucketLayout.MAP), slot, SharedBucketLayout.STRUCT.size());
    List<byte[]> reservations =
        kernel.lookupPerCpu(copy.map(ReservationLayout.MAP), slot, ReservationLayout.STRUCT.size());
    return new Shared(
        position(bucket), Sums.of(reservations).of(ReservationLayout.STRUCT.field("held")));
  }

  /** The position of the key's bucket in a slot's table; empty if there is none. */
  Optional<Long> keyed(int slot, SlotIdentity identity, byte[] key) {
    return tables.bucket(slot, identity, key).map(HookCopy::position);
  }

  private static long position(byte[] bucket) {
    return BucketLayout.POS.getLong(ByteBuffer.wrap(bucket).order(ByteOrder.nativeOrder()));
  }

  /** Whether the frame passes. */
  boolean run(byte[] frame) {
    PacketRunner runner = copy.runner();
    runner.load(frame, frame.length);
    return !LoneClassifier.drops(runner.run(0));
  }

  /** A slot's parameters in force. */
  AxisLine line(int slot) {
    byte[] value =
        kernel.lookup(
            copy.map(PolicyParametersLayout.MAP), slot, PolicyParametersLayout.STRUCT.size());
    return new PolicySlots.Lines(ByteBuffer.wrap(value)).at(0);
  }

  /** A policy's counters. */
  Sums counted(int slot) {
    return Sums.of(
        kernel.lookupPerCpu(
            copy.map(VerdictCountersLayout.MAP), slot, VerdictCountersLayout.STRUCT.size()));
  }

  /** The kind of failsafe traffic that the packet was exempt as. */
  Optional<FailsafeTraffic> failsafe() {
    Sums all =
        Sums.of(
            kernel.lookupPerCpu(
                copy.map(FailsafeCountersLayout.MAP), 0, FailsafeCountersLayout.STRUCT.size()));
    return Stream.of(FailsafeTraffic.values())
        .filter(
            traffic ->
                all.within(FailsafeCountersLayout.KIND, traffic.kind(), FailsafeCountLayout.STRUCT)
                        .of(FailsafeCountLayout.EXEMPT_PACKETS)
                    != 0)
        .findFirst();
  }

  @Override
  public void close() {
    copy.close();
  }
}
