package dev.tokenbucket.agent.program;

import dev.tokenbucket.agent.kernel.Attachment;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.NetworkDevice;
import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.program.HookSet.HookKey;
import dev.tokenbucket.agent.program.SlotIdentity.Window;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the kernel to run a set of policies, and reads back what it runs. What is there already
 * and right is left alone; all state is the kernel's, so a restarted agent goes on where the last
 * one stopped. One thread at a time.
 */
public final class Programmer {
  private static final Logger LOG = LoggerFactory.getLogger(Programmer.class);

  /** Buckets looked at in one sweep, over all policies. */
  private static final int SWEPT_AT_ONCE = 131_072;

  private final Kernel kernel;
  private final Layouts layouts;
  private final Pins pins;
  private final ProgrammedLog programmed;
  private final PolicySlots slots;
  private final HookPrograms programs;
  private final Sweeper sweeper;
  private final ReadBack readBack;
  private final HookWarnings warnings;

  /** As made for the last set: most of it is wanted again, and tables of many terms cost time. */
  private Map<ConfigurationKey, HookConfiguration> configurations = Map.of();

  /** The number of the program on each hook, as the last set left it. */
  private Map<Attachment, Long> attached = Map.of();

  private HookSet placed = new HookSet(Map.of());
  private List<NetworkDevice> devices = List.of();

  /** What the last set found right and left alone; empty where it changed anything. */
  private Optional<AppliedState> confirmed = Optional.empty();

  /** The last set was empty, and so was the host. */
  private boolean foundNothing;

  private boolean mayHaveIdleBuckets = true;

  private record ConfigurationKey(
      Direction direction,
      boolean ethernet,
      List<HookConfiguration.Placed> policies,
      FailsafeSettings failsafes) {}

  /**
   * Looks at nothing yet.
   *
   * @param bpffs a folder on a BPF file system
   * @param objects the folder with the compiled programs; equal names mean equal programs, and no
   *     name holds a dot
   */
  public Programmer(Kernel kernel, Path bpffs, Path objects) {
    this(kernel, Layouts.on(bpffs), objects);
  }

  Programmer(Kernel kernel, Layouts layouts, Path objects) {
    this.kernel = kernel;
    this.layouts = layouts;
    this.pins = layouts.own();
    this.programmed = new ProgrammedLog();
    this.slots = new PolicySlots(kernel, pins, objects, programmed);
    this.programs = new HookPrograms(kernel, layouts, objects);
    this.sweeper = new Sweeper(kernel, pins, objects);
    this.readBack = new ReadBack(kernel, slots, programs);
    this.warnings = new HookWarnings(kernel, pins);
  }

  /** With no failsafes but those of the link: neighbour discovery and DHCP. */
  public Map<String, String> apply(List<NodePolicy> policies) {
    return apply(policies, FailsafeSettings.LINK_ONLY);
  }

  /**
   * Makes these policies, and no others, the ones in force. Other failsafes than before exchange
   * the hooks' programs; the buckets are the same.
   *
   * @return for each policy that is not in force as asked, by uid, why; the others are. What fails
   *     of no policy, as detaching, is under {@link Failures#HOST}
   */
  public Map<String, String> apply(List<NodePolicy> policies, FailsafeSettings failsafes) {
    foundNothing = policies.isEmpty() && folders().isEmpty();
    if (policies.isEmpty()) {
      forget();
      return removeAllOrSay();
    }
    confirmed = Optional.empty();
    HostLinks links = HostLinks.of(kernel);
    Failures failures = new Failures();
    HookSet set = HookSet.of(policies, links, failures);
    Set<HookKey> hooks = set.hooks().keySet();
    Optional<AppliedState> before = state(links, hooks);
    programs.prepareMaps();
    slots.prepare();
    Map<SlotIdentity, Integer> slotOf = slots.program(identities(set), failures);
    boolean attachedAll = attach(set, slotOf, failsafes, failures);
    List<String> problems = programs.removeExcept(hooks);
    problems.forEach(each -> failures.add(Failures.HOST, each));
    if (attachedAll) {
      layouts.others().forEach(this::endTakeOver);
    }
    free(new HashSet<>(slotOf.values()), attachedAll && problems.isEmpty(), failures);
    programmed.confirm(set.hooks(), failures.byUid().keySet(), this::running);
    attached = attachedTo(hooks);
    placed = set;
    devices = links.devices();
    mayHaveIdleBuckets = slotOf.keySet().stream().anyMatch(SlotIdentity::isSwept);
    confirmed =
        failures.isEmpty()
            ? state(links, hooks).filter(now -> before.equals(Optional.of(now)))
            : Optional.empty();
    return failures.byUid();
  }

  /** There is no policy to tell a failure of, and yet it has to be tried again. */
  private Map<String, String> removeAllOrSay() {
    try {
      removeAll();
      return Map.of();
    } catch (RuntimeException e) {
      LOG.debug("removing all", e);
      return Map.of(Failures.HOST, String.valueOf(e.getMessage()));
    }
  }

  /**
   * Attaches to each hook by itself: what fails at one is told of its policies, and is no other
   * hook's.
   *
   * @return whether every hook runs what it is to run
   */
  private boolean attach(
      HookSet set,
      Map<SlotIdentity, Integer> slotOf,
      FailsafeSettings failsafes,
      Failures failures) {
    Map<ConfigurationKey, HookConfiguration> made = new HashMap<>();
    boolean all = true;
    for (Map.Entry<HookKey, List<NodePolicy>> each : set.hooks().entrySet()) {
      HookKey hook = each.getKey();
      try {
        List<NodePolicy> on = withSlots(hook, each.getValue(), slotOf);
        if (!on.isEmpty()) {
          programs.attach(hook, configuration(key(hook, on, slotOf, failsafes), made), on);
        }
        all &= on.size() == each.getValue().size();
      } catch (RuntimeException e) {
        LOG.debug("hook {}", hook, e);
        failures.add(each.getValue(), hook + ": " + e.getMessage());
        all = false;
      }
    }
    configurations = Map.copyOf(made);
    return all;
  }

  /**
   * The policies of a hook that have a slot.
   *
   * @throws IllegalStateException where one has none that the hook's program enforces in another:
   *     without it the hook would no longer limit what it limits now
   */
  private List<NodePolicy> withSlots(
      HookKey hook, List<NodePolicy> wanted, Map<SlotIdentity, Integer> slotOf) {
    List<NodePolicy> with = new ArrayList<>();
    for (NodePolicy policy : wanted) {
      if (slotOf.keySet().containsAll(SlotIdentity.all(policy, hook.ifindex()))) {
        with.add(policy);
      } else if (enforces(hook, policy)) {
        throw new IllegalStateException(
            policy.name() + " could not be changed, so the program stays as it is");
      }
    }
    return with;
  }

  private boolean enforces(HookKey hook, NodePolicy policy) {
    return readBack.hooks(List.of(programs.at(hook))).stream()
        .flatMap(running -> running.policies().stream())
        .anyMatch(running -> running.uid().equals(policy.uid()));
  }

  /** A program that could not be exchanged or detached goes on with the slots that it has. */
  private void free(Set<Integer> used, boolean nothingElseRuns, Failures failures) {
    try {
      Optional<Set<Integer>> kept =
          nothingElseRuns
              ? Optional.of(used)
              : programs.slotsInUse().map(running -> slots.ofSamePolicies(used, running));
      kept.map(slots::freeExcept)
          .ifPresent(problems -> problems.forEach(each -> failures.add(Failures.HOST, each)));
    } catch (RuntimeException e) {
      LOG.debug("slots to give up", e);
      failures.add(Failures.HOST, "giving up slots: " + e.getMessage());
    }
  }

  private void forget() {
    attached = Map.of();
    placed = new HookSet(Map.of());
    devices = List.of();
    confirmed = Optional.empty();
  }

  private Optional<AppliedState> state(HostLinks links, Set<HookKey> hooks) {
    return AppliedState.read(kernel, pins, slots, links, hooks);
  }

  /**
   * Whether everything is as a set found it that had nothing to change: a read-back that costs
   * little beside {@link #apply}. False as well where the last set did change something.
   */
  public boolean isUnaltered() {
    if (foundNothing) {
      return folders().isEmpty();
    }
    return confirmed.isPresent()
        && !isDisturbed()
        && confirmed.equals(state(HostLinks.of(kernel), placed.hooks().keySet()));
  }

  /** Whether the last set found something to change, or to put right. */
  public boolean changedSomething() {
    return confirmed.isEmpty() && !foundNothing;
  }

  private Map<Attachment, Long> attachedTo(Set<HookKey> hooks) {
    Map<Attachment, Long> numbers = new HashMap<>();
    for (HookKey hook : hooks) {
      Attachment at = programs.at(hook);
      numbers.put(at, programAt(at));
    }
    return Map.copyOf(numbers);
  }

  private long programAt(Attachment hook) {
    return kernel.attached(hook).map(Kernel.Attached::programId).orElse(0L);
  }

  /**
   * Whether a hook runs another program than the last set left there, or none: a look that costs
   * little beside {@link #apply}, which also finds what was done to maps.
   */
  public boolean isDisturbed() {
    return attached.entrySet().stream()
        .anyMatch(each -> programAt(each.getKey()) != each.getValue());
  }

  private void endTakeOver(Pins other) {
    programs.removeLayout(other);
    LOG.info("took over from maps of layout {}; buckets start full", layouts.number(other));
  }

  /** The layouts, by number, of agents of other versions that are still pinned on this host. */
  public List<String> otherLayouts() {
    return layouts.others().stream().map(layouts::number).toList();
  }

  /** What a user should know of the last set though it runs, by uid: at most 16 each. */
  public Map<String, List<String>> warnings() {
    return warnings.of(placed.hooks(), devices);
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

  private HookConfiguration configuration(
      ConfigurationKey key, Map<ConfigurationKey, HookConfiguration> made) {
    HookConfiguration before = configurations.get(key);
    return made.computeIfAbsent(
        key,
        k ->
            before != null
                ? before
                : HookConfiguration.of(k.direction(), k.ethernet(), k.policies(), k.failsafes()));
  }

  private static ConfigurationKey key(
      HookKey hook,
      List<NodePolicy> on,
      Map<SlotIdentity, Integer> placed,
      FailsafeSettings failsafes) {
    List<HookConfiguration.Placed> policies = new ArrayList<>();
    for (NodePolicy policy : on) {
      SlotIdentity own = SlotIdentity.of(policy, hook.ifindex());
      policies.add(
          new HookConfiguration.Placed(
              policy,
              Objects.requireNonNull(placed.get(own)),
              placed.getOrDefault(own.ofWindow(Window.MARK), 0)));
    }
    return new ConfigurationKey(
        hook.direction(), hook.hasEthernet(), List.copyOf(policies), failsafes);
  }

  /** The folders of pins that {@link #removeAll} removes. */
  public List<Path> folders() {
    return Files.exists(layouts.folder()) ? List.of(layouts.folder()) : List.of();
  }

  /** Detaches and unpins everything of ours, of whatever layout. */
  public void removeAll() {
    if (!Files.exists(layouts.folder())) {
      return;
    }
    List<String> problems = programs.removeExcept(Set.of());
    if (!problems.isEmpty()) {
      throw new IllegalStateException(String.join("; ", problems));
    }
    layouts.others().forEach(programs::removeLayout);
    // First: of a slot whose other maps are gone it would say that it is a policy's.
    Pins.remove(pins.identities());
    Pins.remove(layouts.folder());
    LOG.info("removed every map and pin under {}", layouts.folder());
  }

  /**
   * Removes idle buckets: a bounded part of each table, the next call goes on from there. What is
   * removed was full, so no limit changes by it.
   */
  public void sweep() {
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
                slotOf.getOrDefault(identity.ofWindow(Window.CONFORM), slot),
                identity,
                SWEPT_AT_ONCE / all.size()));
  }

  private void sweep(int slot, int parameters, SlotIdentity identity, int most) {
    AxisLine line = slots.inForce(parameters);
    int removed = sweeper.sweep(slot, parameters, identity, line, most, System.nanoTime());
    if (removed > 0) {
      LOG.debug("removed {} idle buckets of {}", removed, identity.name());
    }
  }

  /** What the kernel runs of ours now; a hook whose interface is gone is left out. */
  public List<RunningHook> running() {
    return readBack.hooks(pins.hooks());
  }
}
