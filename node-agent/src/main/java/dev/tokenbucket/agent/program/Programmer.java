// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import dev.tokenbucket.agent.hooks.HookPrograms;
import dev.tokenbucket.agent.hooks.HookSet;
import dev.tokenbucket.agent.hooks.HookSet.HookKey;
import dev.tokenbucket.agent.hooks.HookWarnings;
import dev.tokenbucket.agent.hooks.HostLinks;
import dev.tokenbucket.agent.hooks.ProgramLoads;
import dev.tokenbucket.agent.hooks.RouteHold;
import dev.tokenbucket.agent.hooks.XdpRefusals;
import dev.tokenbucket.agent.kernel.HookPoint;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.NetworkDevice;
import dev.tokenbucket.agent.log.Reason;
import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.pins.Layouts;
import dev.tokenbucket.agent.pins.Pins;
import dev.tokenbucket.agent.slots.AxisLine;
import dev.tokenbucket.agent.slots.BucketHold;
import dev.tokenbucket.agent.slots.Failures;
import dev.tokenbucket.agent.slots.PolicySlots;
import dev.tokenbucket.agent.slots.SlotIdentity;
import dev.tokenbucket.agent.slots.SlotIdentity.Role;
import dev.tokenbucket.agent.slots.Sweeper;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.Hook;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the kernel run a set of policies, and reads back what the kernel runs. Correct existing
 * state stays untouched. All state is the kernel's, so a restarted agent continues where the last
 * one stopped. Threads wait for each other, so that none sees a half-applied set.
 */
public final class Programmer {
  private static final Logger LOG = LoggerFactory.getLogger(Programmer.class);

  /** Buckets examined in one sweep, over all policies. */
  private static final int SWEPT_AT_ONCE = 131_072;

  /**
   * How long a bucket of a table that turns keys away has to have been full before a sweep removes
   * it. Whatever fills the table takes the places that a sweep frees, so clients that send more
   * often than this keep theirs. A client that has none takes a full bucket's place without a sweep
   * (tables.h).
   */
  private static final Duration REST_IN_A_FULL_TABLE = Duration.ofSeconds(10);

  private final Kernel kernel;
  private final Layouts layouts;
  private final Pins pins;
  private final ProgrammedLog programmed;
  private final PolicySlots slots;
  private final HookPrograms programs;
  private final Sweeper sweeper;
  private final ReadBack readBack;
  private final HookWarnings warnings;
  private final HookAttaching hooks;
  private final RouteHold routes;
  private final BucketHold buckets = new BucketHold();
  private final XdpRefusals xdpRefusals = new XdpRefusals();

  private HookSet placed = HookSet.NONE;

  /** The reasons why policies could not be placed, as of the last set. */
  private Map<String, String> notPlaced = Map.of();

  private boolean incomplete;

  private List<NetworkDevice> devices = List.of();

  /**
   * The state that the last set found right and left unchanged; empty if the last set changed
   * anything.
   */
  private Optional<AppliedState> confirmed = Optional.empty();

  /** Whether both the last set and the host were empty. */
  private boolean foundNothing;

  private boolean mayHaveIdleBuckets = true;

  /**
   * Creates a programmer, without reading any state yet.
   *
   * @param bpffs a folder on a BPF file system
   * @param objects the folder with the compiled programs; equal names mean equal programs, and no
   *     name contains a dot
   */
  public Programmer(Kernel kernel, Path bpffs, Path objects) {
    this(kernel, bpffs, objects, Runnable::run);
  }

  /**
   * Creates a programmer, without reading any state yet.
   *
   * @param attaching runs the attaching to interfaces, one or several at a time
   * @see #Programmer(Kernel, Path, Path)
   */
  public Programmer(Kernel kernel, Path bpffs, Path objects, Executor attaching) {
    this(kernel, Layouts.on(bpffs), objects, attaching);
  }

  Programmer(Kernel kernel, Layouts layouts, Path objects, Executor attaching) {
    this.kernel = kernel;
    this.layouts = layouts;
    this.pins = layouts.own();
    this.programmed = new ProgrammedLog();
    this.slots = new PolicySlots(kernel, pins, objects, programmed::written);
    this.programs = new HookPrograms(kernel, layouts, objects);
    this.sweeper = new Sweeper(kernel, pins, objects);
    this.readBack = new ReadBack(kernel, slots, programs);
    this.hooks = new HookAttaching(kernel, slots, programs, readBack, attaching);
    this.warnings = new HookWarnings(kernel, pins);
    this.routes = new RouteHold(pins.routes());
  }

  /** Applies policies with the link's failsafes only: neighbour discovery and DHCP. */
  public Map<String, String> apply(List<NodePolicy> policies) {
    return apply(policies, FailsafeSettings.LINK_ONLY);
  }

  /**
   * Puts these policies, and no others, in force. Changed failsafes replace the hooks' programs;
   * the buckets stay the same.
   *
   * @return per uid, the reason for each policy that is not in force as requested; the others are
   *     in force. A failure that belongs to no policy, such as detaching, is under {@link
   *     Failures#HOST}
   */
  public synchronized Map<String, String> apply(
      List<NodePolicy> policies, FailsafeSettings failsafes) {
    foundNothing = policies.isEmpty() && folders().isEmpty();
    if (policies.isEmpty()) {
      forget();
      return removeAllOrSay();
    }
    confirmed = Optional.empty();
    incomplete = true;
    HostLinks links = links();
    Placement placement = place(policies, links);
    Optional<AppliedState> before = state(links, placement.set().hooks().keySet());
    hooks.lookAtAll();
    Map<String, String> failures = bring(policies, placement, links, failsafes);
    confirmed =
        incomplete
            ? Optional.empty()
            : state(links, placed.hooks().keySet()).filter(now -> before.equals(Optional.of(now)));
    return failures;
  }

  /**
   * Like {@link #apply(List, FailsafeSettings)}, for the policies that were last given, after
   * interfaces or routes have changed. A hook that was right then only has its program checked, so
   * a new interface does not wait for all others.
   *
   * @return the result of apply; empty if the change does not affect these policies
   */
  public synchronized Optional<Map<String, String>> follow(
      List<NodePolicy> policies, FailsafeSettings failsafes) {
    HostLinks links = links();
    Placement placement = place(policies, links);
    if (placement.set().equals(placed)
        && placement.failures().byUid().equals(notPlaced)
        && !buckets.ends(System.nanoTime())
        && !hooks.isDisturbed()) {
      return Optional.empty();
    }
    confirmed = Optional.empty();
    incomplete = true;
    return Optional.of(bring(policies, placement, links, failsafes));
  }

  /** The hooks that policies should be on, and the reasons why some are not. */
  private record Placement(HookSet set, Map<Integer, String> xdpRefusals, Failures failures) {}

  private Placement place(List<NodePolicy> policies, HostLinks links) {
    Failures failures = new Failures();
    Map<Integer, String> refusals = xdpRefusals.reasons(links, System.nanoTime());
    return new Placement(HookSet.of(policies, links, refusals, failures), refusals, failures);
  }

  private HostLinks links() {
    return routes.over(HostLinks.of(kernel), System.nanoTime());
  }

  /**
   * Whether a held interface or bucket has reached the end of its hold, or an interface may be
   * asked for its XDP hook again.
   */
  public synchronized boolean holdEnds() {
    long now = System.nanoTime();
    return routes.ends(now) || buckets.ends(now) || xdpRefusals.ends(now);
  }

  private Map<String, String> bring(
      List<NodePolicy> policies, Placement placement, HostLinks links, FailsafeSettings failsafes) {
    HookSet set = placement.set();
    Failures failures = placement.failures();
    notPlaced = failures.byUid();
    programs.prepareMaps();
    slots.prepare();
    routes.keep();
    Map<SlotIdentity, Integer> slotOf = slots.program(identities(set), failures);
    HookAttaching.Outcome outcome =
        hooks.attach(set, slotOf, failsafes, placement.xdpRefusals(), failures);
    outcome.refusedXdp().forEach((index, why) -> xdpRefusals.add(index, why, System.nanoTime()));
    if (mayGoToTc(outcome, set)) {
      return bring(policies, place(policies, links), links, failsafes);
    }
    Set<HookKey> kept = new HashSet<>(set.hooks().keySet());
    kept.addAll(outcome.kept());
    List<String> problems = programs.removeExcept(kept);
    problems.forEach(each -> failures.add(Failures.HOST, each));
    if (outcome.all()) {
      layouts.others().forEach(this::endTakeOver);
    }
    free(policies, new HashSet<>(slotOf.values()), outcome.all() && problems.isEmpty(), failures);
    programmed.confirm(set.hooks(), failures.byUid().keySet(), this::running);
    placed = set;
    incomplete = !failures.byUid().equals(notPlaced);
    mayHaveIdleBuckets = slotOf.keySet().stream().anyMatch(SlotIdentity::isSwept);
    devices = links.devices();
    return failures.byUid();
  }

  /** Whether a refused XDP hook was for a policy that only prefers XDP, so the hook can be TC's. */
  private static boolean mayGoToTc(HookAttaching.Outcome outcome, HookSet set) {
    return set.hooks().entrySet().stream()
        .filter(each -> each.getKey().point() == HookPoint.XDP)
        .filter(each -> outcome.refusedXdp().containsKey(each.getKey().ifindex()))
        .flatMap(each -> each.getValue().stream())
        .anyMatch(policy -> policy.hookOrTc() == Hook.PreferXDP);
  }

  /**
   * Whether the last set failed at something that may succeed later. A policy without an interface
   * does not count: it waits for a change of interfaces.
   */
  public synchronized boolean isIncomplete() {
    return incomplete;
  }

  /** No policy can carry a failure here, and yet the removal has to be tried again. */
  private Map<String, String> removeAllOrSay() {
    incomplete = true;
    try {
      removeAll();
      incomplete = false;
      return Map.of();
    } catch (RuntimeException e) {
      LOG.debug("removing all", e);
      return Map.of(Failures.HOST, Reason.of(e));
    }
  }

  /** A program that could not be replaced or detached continues with its slots. */
  private void free(
      List<NodePolicy> policies, Set<Integer> used, boolean nothingElseRuns, Failures failures) {
    try {
      Set<Integer> kept = new HashSet<>(used);
      kept.addAll(
          buckets.hold(
              slots.all(), used, hostWide(policies), HookSet.MOST_SLOTS, System.nanoTime()));
      Optional<Set<Integer>> all =
          nothingElseRuns
              ? Optional.of(kept)
              : programs.slotsInUse().map(running -> slots.ofSamePolicies(kept, running));
      all.map(slots::freeExcept)
          .ifPresent(problems -> problems.forEach(each -> failures.add(Failures.HOST, each)));
    } catch (RuntimeException e) {
      LOG.debug("slots to give up", e);
      failures.add(Failures.HOST, "could not free slots: " + Reason.of(e));
    }
  }

  /** The identities of buckets that do not belong to one interface, and so may outlive it. */
  private static Set<SlotIdentity> hostWide(List<NodePolicy> policies) {
    return policies.stream()
        .filter(policy -> policy.per() != BucketPer.Interface)
        .flatMap(policy -> SlotIdentity.all(policy, 0).stream())
        .collect(Collectors.toSet());
  }

  private void forget() {
    hooks.forget();
    placed = HookSet.NONE;
    notPlaced = Map.of();
    devices = List.of();
    confirmed = Optional.empty();
  }

  private Optional<AppliedState> state(HostLinks links, Set<HookKey> hooks) {
    return AppliedState.read(kernel, pins, slots, links, hooks);
  }

  /**
   * Whether everything is unchanged since a set that had nothing to change: a check that is cheap
   * compared to {@link #apply}. Also false if the last set did change something.
   */
  public synchronized boolean isUnaltered() {
    if (foundNothing) {
      return folders().isEmpty();
    }
    return confirmed.isPresent() && confirmed.equals(state(links(), placed.hooks().keySet()));
  }

  /** Whether the last set changed or repaired something. */
  public synchronized boolean changedSomething() {
    return confirmed.isEmpty() && !foundNothing;
  }

  /**
   * Whether a hook runs no program, or another one than the last set left there: a check that is
   * cheap compared to {@link #apply}, which also finds changes to maps.
   */
  public synchronized boolean isDisturbed() {
    return hooks.isDisturbed();
  }

  private void endTakeOver(Pins other) {
    programs.removeLayout(other);
    LOG.info("took over from maps of layout {}; buckets start full", layouts.number(other));
  }

  /** The layout numbers of agents of other versions that are still pinned on this host. */
  public List<String> otherLayouts() {
    return layouts.others().stream().map(layouts::number).toList();
  }

  /**
   * Warnings about running policies of the last set, per uid, at most 16 each. For one thread at a
   * time; the call blocks no other thread.
   */
  public Map<String, List<String>> warnings() {
    HookSet set;
    List<NetworkDevice> there;
    synchronized (this) {
      set = placed;
      there = devices;
    }
    return warnings.of(set, there);
  }

  private static Map<SlotIdentity, NodePolicy> identities(HookSet set) {
    Map<SlotIdentity, NodePolicy> identities = new LinkedHashMap<>();
    set.hooks()
        .forEach(
            (hook, on) ->
                on.forEach(
                    policy ->
                        SlotIdentity.all(policy, hook.ifindex())
                            .forEach(identity -> identities.putIfAbsent(identity, policy))));
    return identities;
  }

  /** The folders of pins that {@link #removeAll} removes. */
  public List<Path> folders() {
    return Files.exists(layouts.folder()) ? List.of(layouts.folder()) : List.of();
  }

  /** Detaches and unpins everything of the agent, of every layout. */
  public synchronized void removeAll() {
    if (!Files.exists(layouts.folder())) {
      return;
    }
    List<String> problems = programs.removeExcept(Set.of());
    if (!problems.isEmpty()) {
      throw new IllegalStateException(String.join("; ", problems));
    }
    layouts.others().forEach(programs::removeLayout);
    // Removed first: otherwise it would still assign a slot whose other maps are gone to a policy.
    Pins.remove(pins.identities());
    Pins.remove(layouts.folder());
    LOG.info("removed every map and pin under {}", layouts.folder());
  }

  /**
   * Removes idle buckets from a bounded part of each table; the next call continues from there.
   * Removed buckets were full, so no limit changes.
   */
  public synchronized void sweep() {
    if (!mayHaveIdleBuckets) {
      return;
    }
    Map<Integer, SlotIdentity> all = slots.all();
    if (all.isEmpty()) {
      return;
    }
    PolicySlots.TableCounters tables = slots.tableCounters();
    Map<SlotIdentity, Integer> slotOf = new HashMap<>();
    all.forEach((slot, identity) -> slotOf.put(identity, slot));
    all.entrySet().removeIf(each -> !each.getValue().isSwept() || !tables.isUsed(each.getKey()));
    all.forEach(
        (slot, identity) ->
            sweep(
                slot,
                slotOf.getOrDefault(identity.as(Role.OWN), slot),
                identity,
                SWEPT_AT_ONCE / all.size(),
                slots.turnsKeysAway(slot) ? REST_IN_A_FULL_TABLE : Duration.ZERO));
  }

  private void sweep(int slot, int parameters, SlotIdentity identity, int most, Duration rest) {
    AxisLine line = slots.inForce(parameters);
    int removed =
        sweeper.sweep(slot, parameters, identity, line, most, System.nanoTime(), rest.toNanos());
    if (removed > 0) {
      LOG.debug("removed {} idle buckets of {}", removed, identity.name());
    }
  }

  /** The loads so far; callable from any thread, without blocking. */
  public ProgramLoads loads() {
    return programs.loads();
  }

  /** The agent's hooks that the kernel runs now, without hooks whose interface is gone. */
  public synchronized List<RunningHook> running() {
    return readBack.hooks(pins::hooks);
  }
}
