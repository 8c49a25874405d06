// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import dev.tokenbucket.agent.hooks.HookConfiguration;
import dev.tokenbucket.agent.hooks.HookPrograms;
import dev.tokenbucket.agent.hooks.HookSet;
import dev.tokenbucket.agent.hooks.HookSet.HookKey;
import dev.tokenbucket.agent.kernel.Attachment;
import dev.tokenbucket.agent.kernel.KernelHooks;
import dev.tokenbucket.agent.kernel.XdpRefusedException;
import dev.tokenbucket.agent.log.Reason;
import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.slots.Failures;
import dev.tokenbucket.agent.slots.PolicySlots;
import dev.tokenbucket.agent.slots.SlotIdentity;
import dev.tokenbucket.agent.slots.SlotIdentity.Role;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes each hook run the program of its policies, and remembers the result per hook, so that a
 * hook that was right costs only a check of its program's id. Not thread-safe.
 */
final class HookAttaching {
  private static final Logger LOG = LoggerFactory.getLogger(HookAttaching.class);

  private final KernelHooks kernel;
  private final PolicySlots slots;
  private final HookPrograms programs;
  private final ReadBack readBack;
  private final Executor executor;

  /**
   * The configurations of the last set, cached because most are needed again and tables of many
   * terms take time to build.
   */
  private Map<ConfigurationKey, HookConfiguration> configurations = Map.of();

  /** The id of the program on each hook, as the last set left it. */
  private Map<Attachment, Long> attached = Map.of();

  /** The configuration that each hook was last given, if that succeeded. */
  private Map<HookKey, ConfigurationKey> given = Map.of();

  /** The configuration that a hook should run. */
  record Task(ConfigurationKey key, HookConfiguration wanted, List<NodePolicy> on) {}

  /** One call of attach. */
  private record Pass(
      HookAttaching attaching,
      HookSet set,
      Map<HookKey, Task> tasks,
      Map<SlotIdentity, Integer> slotOf,
      FailsafeSettings failsafes,
      Map<Integer, String> xdpRefusals,
      Map<HookKey, RuntimeException> problems,
      Set<HookKey> unsettled)
      implements InterfaceChange.Inputs {
    @Override
    public Task task(HookKey hook, List<NodePolicy> on) {
      ConfigurationKey key = key(hook, on, slotOf, failsafes);
      return new Task(key, attaching.configuration(key, new HashMap<>()), on);
    }

    @Override
    public Set<String> enforced(HookKey hook) {
      return attaching.enforced(hook);
    }
  }

  record ConfigurationKey(
      Direction direction,
      boolean ethernet,
      List<HookConfiguration.Placed> policies,
      FailsafeSettings failsafes) {}

  /**
   * The result of attaching.
   *
   * @param all whether every hook runs its wanted configuration
   * @param kept hooks that are not in the set, and that must not be detached: they enforce a policy
   *     that could not be put on another hook
   * @param refusedXdp the reasons of interfaces that now refused a program on their XDP hook, by
   *     index
   */
  record Outcome(boolean all, Set<HookKey> kept, Map<Integer, String> refusedXdp) {}

  /**
   * @param executor runs the attaching to interfaces, one or several at a time
   */
  HookAttaching(
      KernelHooks kernel,
      PolicySlots slots,
      HookPrograms programs,
      ReadBack readBack,
      Executor executor) {
    this.kernel = kernel;
    this.slots = slots;
    this.programs = programs;
    this.readBack = readBack;
    this.executor = executor;
  }

  /**
   * Attaches to each hook separately: a failure on one hook is reported for that hook's policies
   * and does not affect other hooks, but for the hook that enforces these policies until they move.
   *
   * @param xdpRefusals why interfaces take no program on their XDP hook, by index; they are not
   *     asked
   */
  Outcome attach(
      HookSet set,
      Map<SlotIdentity, Integer> slotOf,
      FailsafeSettings failsafes,
      Map<Integer, String> xdpRefusals,
      Failures failures) {
    Map<ConfigurationKey, HookConfiguration> made = new HashMap<>();
    Map<HookKey, Task> tasks = new LinkedHashMap<>();
    Map<HookKey, RuntimeException> problems = new ConcurrentHashMap<>();
    Set<HookKey> unsettled = ConcurrentHashMap.newKeySet();
    boolean all = true;
    for (Map.Entry<HookKey, List<NodePolicy>> each : set.hooks().entrySet()) {
      HookKey hook = each.getKey();
      try {
        List<NodePolicy> on = withSlots(hook, each.getValue(), slotOf);
        all &= on.size() == each.getValue().size();
        if (!on.isEmpty()) {
          ConfigurationKey key = key(hook, on, slotOf, failsafes);
          tasks.put(hook, new Task(key, configuration(key, made), on));
        }
      } catch (RuntimeException e) {
        problems.put(hook, e);
      }
    }
    Set<HookKey> kept =
        run(new Pass(this, set, tasks, slotOf, failsafes, xdpRefusals, problems, unsettled));
    problems.forEach(
        (hook, problem) -> {
          LOG.debug("hook {}", hook, problem);
          failures.add(Objects.requireNonNull(set.hooks().get(hook)), hook + ": " + text(problem));
        });
    unsettled.addAll(problems.keySet());
    remember(made, tasks, unsettled);
    return new Outcome(
        all && unsettled.isEmpty() && kept.isEmpty(), kept, refusedXdp(problems, xdpRefusals));
  }

  private static String text(RuntimeException problem) {
    return problem instanceof XdpRefusedException
        ? problem.getMessage() + "; set hook to PreferXDP to run at TC there"
        : Reason.of(problem);
  }

  private static Map<Integer, String> refusedXdp(
      Map<HookKey, RuntimeException> problems, Map<Integer, String> known) {
    Map<Integer, String> refused = new HashMap<>();
    problems.forEach(
        (hook, problem) -> {
          if (problem instanceof XdpRefusedException && !known.containsKey(hook.ifindex())) {
            refused.put(hook.ifindex(), String.valueOf(problem.getMessage()));
          }
        });
    return Map.copyOf(refused);
  }

  /**
   * Attaches to several interfaces at a time: most of the time goes to the kernel's verifier, which
   * can use many CPUs.
   *
   * @return hooks that are not in the set and must stay
   */
  private Set<HookKey> run(Pass pass) {
    Map<Integer, List<HookKey>> byInterface = new LinkedHashMap<>();
    for (HookKey hook : pass.set().hooks().keySet()) {
      byInterface.computeIfAbsent(hook.ifindex(), any -> new ArrayList<>()).add(hook);
    }
    List<InterfaceChange> changes =
        byInterface.values().stream()
            .map(hooks -> new InterfaceChange(programs, pass, hooks))
            .toList();
    List<CompletableFuture<Void>> running = new ArrayList<>();
    for (InterfaceChange change : changes) {
      running.add(
          CompletableFuture.runAsync(() -> change.make(hook -> isToRun(hook, pass)), executor));
    }
    running.forEach(HookAttaching::await);
    return changes.stream()
        .flatMap(change -> change.kept().stream())
        .collect(Collectors.toUnmodifiableSet());
  }

  private boolean isToRun(HookKey hook, Pass pass) {
    Task task = pass.tasks().get(hook);
    return task != null && (!task.key().equals(given.get(hook)) || isDisturbed(programs.at(hook)));
  }

  /** An error ends the agent, as it would if thrown on this thread. */
  private static void await(CompletableFuture<Void> task) {
    try {
      task.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw e;
    }
  }

  private void remember(
      Map<ConfigurationKey, HookConfiguration> made,
      Map<HookKey, Task> tasks,
      Set<HookKey> unsettled) {
    Map<HookKey, ConfigurationKey> nowGiven = new HashMap<>();
    Map<Attachment, Long> nowAttached = new HashMap<>();
    tasks.forEach(
        (hook, task) -> {
          if (!unsettled.contains(hook)) {
            nowGiven.put(hook, task.key());
            nowAttached.put(programs.at(hook), programAt(programs.at(hook)));
          }
        });
    configurations = Map.copyOf(made);
    given = Map.copyOf(nowGiven);
    attached = Map.copyOf(nowAttached);
  }

  /**
   * The policies of a hook that have a slot.
   *
   * @throws IllegalStateException if a policy without a slot is enforced by the hook's current
   *     program in another slot: a program without the policy would drop a limit that is in force
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
    return enforced(hook).contains(policy.uid());
  }

  /** The uids of the policies that a hook enforces now. */
  private Set<String> enforced(HookKey hook) {
    return readBack.hooks(() -> List.of(programs.at(hook))).stream()
        .flatMap(running -> running.policies().stream())
        .map(RunningHook.RunningPolicy::uid)
        .collect(Collectors.toUnmodifiableSet());
  }

  private HookConfiguration configuration(
      ConfigurationKey key, Map<ConfigurationKey, HookConfiguration> made) {
    HookConfiguration before = configurations.get(key);
    return made.computeIfAbsent(
        key,
        k ->
            before != null
                ? before
                : HookConfiguration.of(
                    slots.hashKey(), k.direction(), k.ethernet(), k.policies(), k.failsafes()));
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
              placed.getOrDefault(own.as(Role.MARK), 0),
              placed.getOrDefault(own.as(Role.PARENT), 0)));
    }
    return new ConfigurationKey(
        hook.direction(), hook.hasEthernet(), List.copyOf(policies), failsafes);
  }

  /** Whether a hook runs no program, or another one than the last set left there. */
  boolean isDisturbed() {
    return attached.keySet().stream().anyMatch(this::isDisturbed);
  }

  private boolean isDisturbed(Attachment at) {
    return programAt(at) != attached.getOrDefault(at, 0L);
  }

  private long programAt(Attachment hook) {
    return kernel.attached(hook).map(KernelHooks.Attached::programId).orElse(0L);
  }

  /** Makes the next set check every hook, whatever the hook was last given. */
  void lookAtAll() {
    given = Map.of();
  }

  /** Forgets all hooks, after none of the agent's is left. */
  void forget() {
    attached = Map.of();
    given = Map.of();
  }
}
