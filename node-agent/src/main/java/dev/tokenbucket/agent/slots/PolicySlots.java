// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.slots;

import dev.tokenbucket.agent.kernel.Attachment;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.layout.AdmissionLayout;
import dev.tokenbucket.agent.layout.AxisLineLayout;
import dev.tokenbucket.agent.layout.ChangeStep;
import dev.tokenbucket.agent.layout.ClockSourceLayout;
import dev.tokenbucket.agent.layout.FailsafeSlot;
import dev.tokenbucket.agent.layout.ParameterChangeLayout;
import dev.tokenbucket.agent.layout.PolicyParametersLayout;
import dev.tokenbucket.agent.layout.ReservationLayout;
import dev.tokenbucket.agent.layout.SharedBucketLayout;
import dev.tokenbucket.agent.layout.SlotLimit;
import dev.tokenbucket.agent.layout.TableCountersLayout;
import dev.tokenbucket.agent.layout.VerdictCountersLayout;
import dev.tokenbucket.agent.log.Reason;
import dev.tokenbucket.agent.match.FailsafeTraffic;
import dev.tokenbucket.agent.pins.Pins;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import dev.tokenbucket.api.v1alpha1.TokenLimit;
import dev.tokenbucket.api.v1alpha1.TokenRate;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The policies' slots in the host's maps: the identity, parameters and buckets of each slot. Not
 * thread-safe.
 */
public final class PolicySlots {
  /** The number of slots for policies; the failsafes' slots come after them. */
  public static final int USABLE = FailsafeSlot.FAILSAFE_SLOT;

  private static final Logger LOG = LoggerFactory.getLogger(PolicySlots.class);

  /** How far ahead a change of parameters takes effect, so that the change is never late. */
  private static final long CHANGE_AHEAD_NANOS = 50_000_000;

  private static final int CHANGE_TRIES = 5;

  private final Kernel kernel;
  private final Pins pins;
  private final Path objects;
  private final BucketTables tables;
  private final Consumer<NodePolicy> written;

  /**
   * The identities as last read, cached because decoding is most of the work and identities seldom
   * change.
   */
  private ByteBuffer lastIdentities = ByteBuffer.allocate(0);

  private Map<Integer, SlotIdentity> identities = Map.of();

  /** Per slot, the memory of its table, valid as long as the slot has the same identity. */
  private final Map<Integer, Memory> memories = new HashMap<>();

  private record Memory(SlotIdentity of, Optional<Long> bytes) {}

  /**
   * @param written receives each policy whose parameters were written
   */
  public PolicySlots(Kernel kernel, Pins pins, Path objects, Consumer<NodePolicy> written) {
    this.kernel = kernel;
    this.pins = pins;
    this.objects = objects;
    this.written = written;
    this.tables = new BucketTables(kernel, pins);
  }

  /** Creates the missing maps that slots need beside the host's maps. */
  public void prepare() {
    if (!Files.exists(pins.identities())) {
      kernel.close(
          kernel.createArray(
              "identities", SlotIdentity.SIZE, SlotLimit.MAX_SLOTS, pins.identities()));
    }
    if (!Files.exists(pins.hashKey())) {
      kernel.close(kernel.createArray("hash_key", HashKey.SIZE, 1, pins.hashKey()));
    }
    if (hashKey().isUnset()) {
      kernel.use(pins.hashKey(), map -> kernel.update(map, 0, HashKey.random().encode()));
    }
    for (FailsafeTraffic traffic : FailsafeTraffic.values()) {
      if (inForce(traffic.slot()).rate() == 0) {
        setParameters(traffic.slot(), line(traffic, System.nanoTime()));
      }
    }
  }

  /** The key that {@link #prepare} has ensured. */
  public HashKey hashKey() {
    return HashKey.of(kernel.read(pins.hashKey(), map -> kernel.lookup(map, 0, HashKey.SIZE)));
  }

  /** The line of the failsafe bucket for this traffic. */
  public static AxisLine line(FailsafeTraffic traffic, long t0) {
    long rate = traffic.packetsPerSecond();
    return AxisLine.of(TokenRate.perSecond(RateUnit.Packets, rate), rate, 0, t0);
  }

  private int loadParametersProgram() {
    return kernel.load(
        objects.resolve("parameters.bpf.o"),
        "change_parameters",
        Map.of(PolicyParametersLayout.MAP, pins.map(PolicyParametersLayout.MAP)),
        Map.of());
  }

  /** Whether the maps that describe slots are pinned. */
  public boolean arePinned() {
    return Files.exists(pins.identities()) && pins.hasHostMaps();
  }

  /** The slots in use. */
  public Map<Integer, SlotIdentity> all() {
    if (!Files.exists(pins.identities())) {
      return new TreeMap<>();
    }
    ByteBuffer now = readIdentities();
    if (!now.equals(lastIdentities)) {
      lastIdentities = now;
      identities = decode(now);
    }
    return new TreeMap<>(identities);
  }

  /** The identities of all slots, consecutive, as in the map. */
  public ByteBuffer readIdentities() {
    return kernel.read(
        pins.identities(), map -> kernel.lookupAll(map, SlotLimit.MAX_SLOTS, SlotIdentity.SIZE));
  }

  private static Map<Integer, SlotIdentity> decode(ByteBuffer all) {
    Map<Integer, SlotIdentity> identities = new TreeMap<>();
    byte[] one = new byte[SlotIdentity.SIZE];
    for (int slot = 0; slot < USABLE; slot++) {
      int at = slot;
      all.get(slot * SlotIdentity.SIZE, one);
      SlotIdentity.decode(one).ifPresent(identity -> identities.put(at, identity));
    }
    return identities;
  }

  /**
   * Makes sure that each of these identities has a slot with its policy's parameters in force, in
   * this order.
   *
   * @param failures collects policies that got no slot, or that keep their old parameters
   * @return the slots of the identities that have one
   */
  public Map<SlotIdentity, Integer> program(
      Map<SlotIdentity, NodePolicy> wanted, Failures failures) {
    Map<SlotIdentity, Integer> slotOf = new HashMap<>();
    all().forEach((slot, identity) -> slotOf.put(identity, slot));
    Map<SlotIdentity, Integer> placed = new HashMap<>();
    Lines lines = linesInForce();
    Set<Integer> broken = broken(slotOf);
    wanted.forEach(
        (identity, policy) -> {
          Integer there = slotOf.get(identity);
          try {
            if (there == null || broken.contains(there)) {
              int free = free(slotOf.values(), broken);
              begin(free, identity, policy);
              slotOf.put(identity, free);
              placed.put(identity, free);
            } else {
              placed.put(identity, there);
              change(there, identity, policy, lines.at(there));
            }
          } catch (RuntimeException e) {
            LOG.debug("slot of {}", identity.name(), e);
            failures.add(policy.uid(), Reason.of(e));
          }
        });
    return placed;
  }

  /**
   * Slots whose table can't be kept, because another program unpinned or exchanged a part of it.
   */
  private Set<Integer> broken(Map<SlotIdentity, Integer> slotOf) {
    Set<Integer> broken = new HashSet<>();
    slotOf.forEach(
        (identity, slot) -> {
          if (identity.per().isTabled() && !tables.isWhole(slot, identity)) {
            LOG.warn(
                "other software unpinned or replaced the table of {}; its buckets start full",
                identity.name());
            broken.add(slot);
          }
        });
    return broken;
  }

  private static int free(Collection<Integer> taken, Set<Integer> broken) {
    return IntStream.range(0, USABLE)
        .filter(slot -> !taken.contains(slot) && !broken.contains(slot))
        .findFirst()
        .orElseThrow(
            () -> new IllegalStateException("a node holds at most " + USABLE + " policies"));
  }

  /** Fills a free slot, which no program reads. */
  private void begin(int slot, SlotIdentity identity, NodePolicy policy) {
    // A half-made table may be left by an agent that was killed or ran out of memory.
    tables.remove(slot);
    kernel.use(
        pins.map(SharedBucketLayout.MAP),
        map -> kernel.update(map, slot, new byte[SharedBucketLayout.STRUCT.size()]));
    kernel.use(
        pins.map(ReservationLayout.MAP),
        map -> kernel.updatePerCpu(map, slot, new byte[ReservationLayout.STRUCT.size()]));
    kernel.use(
        pins.map(TableCountersLayout.MAP),
        map -> kernel.updatePerCpu(map, slot, new byte[TableCountersLayout.STRUCT.size()]));
    for (Attachment hook : pins.hooks()) {
      Path counters = hook.folder().resolve(VerdictCountersLayout.MAP);
      // If another program has unpinned the counters, the hook gets a program with new ones.
      if (Files.exists(counters)) {
        kernel.use(
            counters,
            map -> kernel.updatePerCpu(map, slot, new byte[VerdictCountersLayout.STRUCT.size()]));
      }
    }
    if (identity.per().isTabled()) {
      tables.create(slot, identity);
    }
    setParameters(slot, line(identity, policy, System.nanoTime()));
    kernel.use(pins.identities(), map -> kernel.update(map, slot, identity.encode()));
    written.accept(policy);
  }

  private void setParameters(int slot, AxisLine line) {
    kernel.use(
        pins.map(PolicyParametersLayout.MAP), map -> kernel.update(map, slot, parameters(line)));
  }

  /** {@code struct policy_parameters}: both lines the same, the first one in force. */
  public static byte[] parameters(AxisLine line) {
    return PolicyParametersLayout.STRUCT.encode(
        to -> PolicyParametersLayout.LINE.in(to).put(line.encode()).put(line.encode()));
  }

  /** Bends the axis if the parameters in force are not the wanted ones. */
  private void change(int slot, SlotIdentity identity, NodePolicy policy, AxisLine before) {
    // The buckets for marked packets use the parameters of the policy's own slot.
    if (identity.role() == SlotIdentity.Role.MARK
        || before.sameParameters(line(identity, policy, 0))) {
      return;
    }
    int program = loadParametersProgram();
    try {
      for (int i = 0; i < CHANGE_TRIES; i++) {
        // First wait for the last bend, then for the packets that read the clock before the bend.
        await(inForce(slot).t0());
        kernel.awaitGracePeriod();
        AxisLine line = line(identity, policy, System.nanoTime() + CHANGE_AHEAD_NANOS);
        if (kernel.run(program, changeStep(slot, ChangeStep.CHANGE_PROPOSE, line, 0)) == 0
            && kernel.run(program, changeStep(slot, ChangeStep.CHANGE_COMMIT, line, 0)) == 0) {
          written.accept(policy);
          return;
        }
      }
    } finally {
      kernel.close(program);
    }
    throw new IllegalStateException(
        "changing the parameters of "
            + policy.name()
            + " came too late "
            + CHANGE_TRIES
            + " times: the host is overloaded; the old parameters stay in force");
  }

  /**
   * {@code struct parameter_change}.
   *
   * @param step one of {@link ChangeStep}
   * @param now the time, for a program with the virtual clock
   */
  public static byte[] changeStep(int slot, int step, AxisLine line, long now) {
    return ParameterChangeLayout.STRUCT.encode(
        to -> {
          ParameterChangeLayout.SLOT.putInt(to, slot);
          ParameterChangeLayout.STEP.putInt(to, step);
          ParameterChangeLayout.LINE.put(to, line.encode());
          ClockSourceLayout.TIMESTAMP.putLong(ParameterChangeLayout.CLOCK.in(to), now);
        });
  }

  /** Waits for a moment of CLOCK_MONOTONIC, which is at most the lead of a change ahead. */
  private static void await(long moment) {
    for (long left = moment - System.nanoTime(); left > 0; left = moment - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }

  private AxisLine line(SlotIdentity identity, NodePolicy policy, long t0) {
    // Under PREEMPT_RT, two tasks on a CPU could spend the CPU's reserve at the same time.
    return kernel.isRealTime()
        ? lineWithoutReserve(identity, policy, t0)
        : line(identity, policy, t0, kernel.possibleCpus());
  }

  /**
   * The line of a policy's slot.
   *
   * @param cpus the most CPUs that the host may ever have, each of which may hold a reserve
   */
  public static AxisLine line(SlotIdentity identity, NodePolicy policy, long t0, int cpus) {
    if (identity.per().isTabled()) {
      return lineWithoutReserve(identity, policy, t0);
    }
    TokenLimit limit = identity.limit(policy);
    return AxisLine.shared(limit.rate(), limit.burst(), policy.generation(), t0, cpus);
  }

  private static AxisLine lineWithoutReserve(SlotIdentity identity, NodePolicy policy, long t0) {
    TokenLimit limit = identity.limit(policy);
    return AxisLine.of(limit.rate(), limit.burst(), policy.generation(), t0);
  }

  public AxisLine inForce(int slot) {
    byte[] parameters =
        kernel.read(
            pins.map(PolicyParametersLayout.MAP),
            map -> kernel.lookup(map, slot, PolicyParametersLayout.STRUCT.size()));
    return new Lines(ByteBuffer.wrap(parameters)).at(0);
  }

  /** The parameters in force for every slot, as read at one moment. */
  public Lines linesInForce() {
    return new Lines(
        kernel.read(
            pins.map(PolicyParametersLayout.MAP),
            map ->
                kernel.lookupAll(map, SlotLimit.MAX_SLOTS, PolicyParametersLayout.STRUCT.size())));
  }

  /** The parameters of all slots, consecutive, as in the map. */
  public record Lines(ByteBuffer parameters) {
    public AxisLine at(int slot) {
      ByteBuffer ofSlot = PolicyParametersLayout.STRUCT.at(parameters, slot);
      int active = (int) PolicyParametersLayout.ACTIVE.getLong(ofSlot) & 1;
      ByteBuffer both = PolicyParametersLayout.LINE.in(ofSlot);
      return AxisLine.decode(AxisLineLayout.STRUCT.at(both, active));
    }
  }

  /**
   * All given slots, and all slots that belong to the same policies as the slots in {@code others}.
   */
  public Set<Integer> ofSamePolicies(Set<Integer> slots, Set<Integer> others) {
    Map<Integer, SlotIdentity> all = all();
    Set<String> uids = new HashSet<>();
    others.stream().map(all::get).filter(Objects::nonNull).forEach(each -> uids.add(each.uid()));
    Set<Integer> found = new HashSet<>(slots);
    found.addAll(others);
    all.forEach(
        (slot, identity) -> {
          if (uids.contains(identity.uid())) {
            found.add(slot);
          }
        });
    return found;
  }

  /**
   * Releases all other slots, which no program may use any more, and tables of slots that were
   * begun and never assigned to a policy. A failure on one slot does not stop the others.
   *
   * @return the reasons why slots could not be released
   */
  public List<String> freeExcept(Set<Integer> kept) {
    Map<Integer, SlotIdentity> freed = all();
    Set<Integer> slots = new TreeSet<>(freed.keySet());
    slots.addAll(tables.pinned());
    slots.removeAll(kept);
    if (slots.isEmpty()) {
      return List.of();
    }
    kernel.awaitGracePeriod();
    List<String> problems = new ArrayList<>();
    for (int slot : slots) {
      try {
        free(slot, Optional.ofNullable(freed.get(slot)));
      } catch (RuntimeException e) {
        LOG.debug("slot {}", slot, e);
        problems.add("could not free slot %d: %s".formatted(slot, Reason.of(e)));
      }
    }
    return problems;
  }

  /** Clears the identity first: a remaining identity would promise buckets that are gone. */
  private void free(int slot, Optional<SlotIdentity> identity) {
    memories.remove(slot);
    if (identity.isPresent()) {
      kernel.use(pins.identities(), map -> kernel.update(map, slot, new byte[SlotIdentity.SIZE]));
      LOG.info("freed the buckets of {}", identity.get().name());
    }
    tables.remove(slot);
  }

  /**
   * A slot's table.
   *
   * @param added buckets since the slot began
   * @param removed buckets since then, by the sweeper
   * @param memory bytes of kernel memory
   */
  public record Table(long added, long removed, long memory) {}

  /** How many buckets every slot's table gained and lost, as read at one moment. */
  public TableCounters tableCounters() {
    int cpus = kernel.possibleCpus();
    return new TableCounters(
        kernel.read(
            pins.map(TableCountersLayout.MAP),
            map ->
                kernel.lookupAll(
                    map, SlotLimit.MAX_SLOTS, cpus * TableCountersLayout.STRUCT.size())),
        cpus);
  }

  /** Counters of tables, per slot and CPU. */
  public record TableCounters(ByteBuffer all, int cpus) {
    private Sums of(int slot) {
      return Sums.of(all, slot, TableCountersLayout.STRUCT, cpus);
    }

    /** Whether the slot's table holds any bucket. */
    public boolean isUsed(int slot) {
      Sums sums = of(slot);
      return sums.of(TableCountersLayout.ADDED) > sums.of(TableCountersLayout.REMOVED);
    }
  }

  /** Whether a key has found no place in the slot's table since a place was last freed. */
  public boolean turnsKeysAway(int slot) {
    byte[] read =
        kernel.read(
            pins.map(AdmissionLayout.MAP),
            map -> kernel.lookup(map, slot, AdmissionLayout.STRUCT.size()));
    return AdmissionLayout.FULL_IN.getLong(ByteBuffer.wrap(read).order(ByteOrder.nativeOrder()))
        != 0;
  }

  /** A slot's table; empty if the slot has none. */
  public Optional<Table> table(int slot, SlotIdentity identity, TableCounters counters) {
    if (!identity.per().isTabled()) {
      return Optional.empty();
    }
    Memory known = memories.get(slot);
    if (known == null || !known.of().equals(identity)) {
      known = new Memory(identity, tables.memory(slot, identity));
      memories.put(slot, known);
    }
    Sums sums = counters.of(slot);
    long added = sums.of(TableCountersLayout.ADDED);
    long removed = sums.of(TableCountersLayout.REMOVED);
    return known.bytes().map(memory -> new Table(added, removed, memory));
  }
}
