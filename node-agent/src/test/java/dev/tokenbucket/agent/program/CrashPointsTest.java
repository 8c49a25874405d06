// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.kernel.FaultyKernel;
import dev.tokenbucket.agent.kernel.FaultyKernel.Fault;
import dev.tokenbucket.agent.kernel.FaultyKernel.Killed;
import dev.tokenbucket.agent.kernel.HookPoint;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.layout.PlaceLimit;
import dev.tokenbucket.agent.pins.Layouts;
import dev.tokenbucket.agent.pins.Pins;
import dev.tokenbucket.agent.slots.PolicySlots;
import dev.tokenbucket.agent.slots.SlotIdentity;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The agent ends at each of its calls in turn, or that call fails. The next agent applies another
 * set. Its result equals that of an undisturbed agent, and no object is left over.
 */
class CrashPointsTest extends VethTest {
  private static final int EPERM = 1;
  private static final int ENOMEM = 12;
  private static final int ENOSPC = 28;

  /** Tries every Nth point; {@code make test-faults} looks at more of them. */
  private static final int STRIDE = Integer.getInteger("crash.stride", 19);

  /** Bounds each loop; no step makes this many calls. */
  private static final int MOST_CALLS = 2_000;

  private static final List<NodePolicy> NOTHING = List.of();
  private static final List<NodePolicy> FIRST =
      List.of(
          Policy.packets(10, 10).perSource(10).on(NEAR, Direction.Ingress).at(0),
          Policy.packets(20, 10).on(NEAR, Direction.Ingress).at(1),
          Policy.packets(30, 10).perFlow(10).evicting().on(FAR, Direction.Egress).at(2));

  /** Another rate, another table, a removed policy, a new one and one that moves. */
  private static final List<NodePolicy> SECOND =
      List.of(
          Policy.packets(11, 10).perSource(10).on(NEAR, Direction.Ingress).at(0),
          Policy.packets(20, 10).perDestination(20).on(NEAR, Direction.Ingress).at(1),
          Policy.packets(40, 10).perSource(10).markingEcn().on(NEAR, Direction.Egress).at(3));

  /** A step in an agent's life: the set in force, the wanted set, and the set after that. */
  private record Step(
      String name, List<NodePolicy> from, List<NodePolicy> to, List<NodePolicy> then) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Arguments> steps() {
    return Stream.of(
            new Step("beginning", NOTHING, FIRST, SECOND),
            new Step("changing", FIRST, SECOND, FIRST),
            new Step("ending", SECOND, NOTHING, FIRST))
        .flatMap(step -> Stream.of(Arguments.of(step, false), Arguments.of(step, true)));
  }

  @ParameterizedTest
  @MethodSource("steps")
  void anAgentKilledAtAnyPointLeavesNothingThatItsSuccessorDoesNotPutRight(
      Step step, boolean clsact) throws Exception {
    LinuxKernel whole = new LinuxKernel(clsact);
    // An end has few points, and takes little time.
    int stride = step.to().isEmpty() ? 1 : STRIDE;
    int at = 1;
    for (boolean killed = true; killed && at < MOST_CALLS; at += stride) {
      agent(whole).apply(step.from());
      killed = isKilled(step, clsact, at);
      // The next set is another one, or the same, which is partly in force already.
      List<NodePolicy> then = at / stride % 3 == 0 ? step.to() : step.then();
      String when = "%s, killed at point %d".formatted(step, at);
      Programmer successor = agent(whole);
      assertThat(successor.apply(then)).as(when).isEmpty();
      assertConverged(when, then, clsact);
      successor.apply(then);
      assertThat(successor.changedSomething()).as(when).isFalse();
      assertThat(successor.isUnaltered()).as(when).isTrue();
    }
    assertThat(at).isBetween(stride + 2, MOST_CALLS - 1);
  }

  private boolean isKilled(Step step, boolean clsact, int at) {
    Fault fault =
        (call, point) -> {
          if (point >= at) {
            throw new Killed();
          }
          return 0;
        };
    try {
      agent(new FaultyKernel(clsact, fault).kernel()).apply(step.to());
      return false;
    } catch (Killed e) {
      return true;
    }
  }

  @ParameterizedTest
  @MethodSource("steps")
  void whatFailsAtAnyCallIsSaidAndDoneOnceTheFaultIsGone(Step step, boolean clsact)
      throws Exception {
    LinuxKernel whole = new LinuxKernel(clsact);
    List<Integer> errors = List.of(ENOMEM, ENOSPC, EPERM);
    int at = 1;
    for (boolean reached = true; reached && at < MOST_CALLS; at += 3 * STRIDE) {
      agent(whole).apply(step.from());
      int failing = at;
      int error = errors.get(at / STRIDE % errors.size());
      boolean[] armed = {true};
      FaultyKernel kernel =
          new FaultyKernel(clsact, (call, point) -> armed[0] && call == failing ? error : 0);
      Programmer agent = agent(kernel.kernel());
      Set<String> descriptors = descriptors();

      Map<String, String> failures = applyOrSay(agent, step.to());

      armed[0] = false;
      reached = kernel.failed() > 0;
      String when = "%s, call %d fails with %d: %s".formatted(step, at, error, failures);
      assertThat(descriptors()).as(when).isEqualTo(descriptors);
      assertThat(agent.apply(step.to())).as(when).isEmpty();
      assertConverged(when, step.to(), clsact);
    }
    assertThat(at).isBetween(STRIDE + 2, MOST_CALLS - 1);
  }

  /** Like the agent's loop, which reports a failure of the whole set for each policy. */
  private static Map<String, String> applyOrSay(Programmer agent, List<NodePolicy> set) {
    try {
      return agent.apply(set);
    } catch (RuntimeException e) {
      return Map.of("all", String.valueOf(e.getMessage()));
    }
  }

  /** Of the kernel's objects and of sockets. */
  private static Set<String> descriptors() throws IOException {
    Set<String> open = new TreeSet<>();
    try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
      for (Path each : all.toList()) {
        // The one by which the folder is listed is closed by now.
        String object = Files.isSymbolicLink(each) ? Files.readSymbolicLink(each).toString() : "";
        if (object.matches("(anon_inode:bpf|socket:).*")) {
          open.add(each.getFileName() + " " + object);
        }
      }
    }
    return open;
  }

  /** Exactly this set runs, and the kernel holds nothing else of Tokenbucket. */
  private void assertConverged(String when, List<NodePolicy> set, boolean clsact) throws Exception {
    assertThat(running()).as(when).isEqualTo(wanted(set));
    assertThat(pins()).as(when).containsExactlyInAnyOrderElementsOf(wantedPins(set, clsact));
    assertNothingElse(when, set, clsact);
    if (!set.isEmpty()) {
      assertSlots(when, set);
    }
  }

  private static Map<String, List<String>> wanted(List<NodePolicy> set) {
    Map<String, List<String>> wanted = new TreeMap<>();
    for (NodePolicy policy : set) {
      wanted
          .computeIfAbsent(hookOf(policy), any -> new ArrayList<>())
          .add("%s %d %s".formatted(policy.name(), policy.rate(), policy.per()));
    }
    return wanted;
  }

  private static String hookOf(NodePolicy policy) {
    return policy.interfaces().get(0).name() + " " + policy.direction();
  }

  private Map<String, List<String>> running() {
    Map<String, List<String>> running = new TreeMap<>();
    for (RunningHook hook : agent(plain).running()) {
      running.put(
          hook.interfaceName() + " " + hook.direction(),
          hook.policies().stream()
              .map(each -> "%s %d %s".formatted(each.name(), each.rate(), each.per()))
              .toList());
    }
    return running;
  }

  /** Below our folder, without the numbers of programs and slots, and without the host's routes. */
  private List<String> pins() throws IOException {
    Path ours = bpffs.resolve("tokenbucket");
    if (!Files.exists(ours)) {
      return List.of();
    }
    try (Stream<Path> all = Files.walk(ours)) {
      return all.map(each -> ours.relativize(each).toString())
          .filter(each -> !each.matches("layout-[0-9]+/routes.*"))
          .map(each -> each.replaceAll("/program-[0-9]+", "/program-N"))
          .map(each -> each.replaceAll("/version-[^/]+", "/version-V"))
          .map(each -> each.replaceAll("/slots/[0-9]+", "/slots/N"))
          .map(each -> each.replaceAll("/[a-z]+(-[0-9]+)/qdisc", "/any$1/qdisc"))
          .sorted()
          .toList();
    }
  }

  private List<String> wantedPins(List<NodePolicy> set, boolean clsact) {
    if (set.isEmpty()) {
      return List.of();
    }
    String layout = "layout-" + Pins.LAYOUT;
    List<String> pins =
        new ArrayList<>(List.of("", layout, layout + "/identities", layout + "/hash_key"));
    Pins.HOST_MAPS.forEach(map -> pins.add(layout + "/" + map));
    pins.add(layout + "/hooks");
    pins.add(layout + "/slots");
    Set<String> marked = new TreeSet<>();
    for (String hook : wanted(set).keySet()) {
      List<String> parts = List.of(hook.split(" ", -1));
      Direction direction = Direction.valueOf(parts.get(1));
      int index = plain.interfaceIndex(parts.get(0)).orElseThrow();
      String folder =
          layout
              + "/hooks/"
              + new Pins(bpffs).hook(index, HookPoint.tc(direction)).folder().getFileName();
      pins.add(folder);
      Pins.HOOK_MAPS.forEach(map -> pins.add(folder + "/" + map));
      pins.add(folder + "/" + (clsact ? "filter" : "link"));
      for (String kept : List.of("", "/program", "/configuration", "/version-V")) {
        pins.add(folder + "/program-N" + kept);
      }
      // One owner mark per interface, on any of its hooks.
      if (clsact && marked.add(parts.get(0))) {
        pins.add(layout + "/hooks/any-" + index + "/qdisc");
      }
    }
    for (SlotIdentity identity : identities(set)) {
      if (identity.per().isTabled()) {
        String slot = layout + "/slots/N";
        pins.add(slot);
        pins.add(slot + "/table");
        if (!identity.evicts()) {
          List.of("/hints", "/free_places", "/places-0").forEach(map -> pins.add(slot + map));
        }
      }
    }
    return pins.stream().sorted().toList();
  }

  private List<SlotIdentity> identities(List<NodePolicy> set) {
    return set.stream()
        .flatMap(
            policy -> {
              String name = String.valueOf(policy.interfaces().get(0).name());
              return SlotIdentity.all(policy, plain.interfaceIndex(name).orElseThrow()).stream();
            })
        .toList();
  }

  /** On the hooks, wanted and not, and in the maps of tables. */
  private void assertNothingElse(String when, List<NodePolicy> set, boolean clsact)
      throws Exception {
    Set<String> hooks = wanted(set).keySet();
    for (String name : List.of(NEAR, FAR)) {
      boolean qdisc = false;
      for (Direction direction : Direction.values()) {
        boolean ours = hooks.contains(name + " " + direction);
        qdisc |= ours;
        int index = plain.interfaceIndex(name).orElseThrow();
        assertThat(plain.tcxPrograms(index, HookPoint.tc(direction)))
            .as("%s: TCX programs of %s %s", when, name, direction)
            .hasSize(ours && !clsact ? 1 : 0);
        if (clsact) {
          assertThat(filters(name, direction))
              .as("%s: filters of %s %s", when, name, direction)
              .isEqualTo(ours ? 1 : 0);
        }
      }
      assertThat(run("tc", "qdisc", "show", "dev", name).contains("clsact"))
          .as("%s: qdisc of %s", when, name)
          .isEqualTo(clsact && qdisc);
    }
  }

  private static long filters(String name, Direction direction) throws Exception {
    String side = direction == Direction.Ingress ? "ingress" : "egress";
    return Pattern.compile(" id [0-9]+")
        .matcher(run("tc", "filter", "show", "dev", name, side))
        .results()
        .count();
  }

  private void assertSlots(String when, List<NodePolicy> set) {
    Pins pins = Layouts.on(bpffs).own();
    Map<Integer, SlotIdentity> slots = new PolicySlots(plain, pins, compiled, any -> {}).all();
    assertThat(slots.values())
        .as("%s: slots", when)
        .containsExactlyInAnyOrderElementsOf(identities(set));
    for (String outer :
        List.of(
            "bucket_tables",
            "flow_tables",
            "evicting_bucket_tables",
            "evicting_flow_tables",
            "hints",
            "free_places",
            "places")) {
      int each = outer.equals("places") ? (1 << 22) / PlaceLimit.PLACES : 1;
      plain.use(
          pins.map(outer),
          map -> {
            for (int slot = 0; slot < 12; slot++) {
              assertThat(plain.innerId(map, slot * each).isPresent())
                  .as("%s: a map of slot %d in %s", when, slot, outer)
                  .isEqualTo(slots.containsKey(slot) && holds(slots.get(slot), outer));
            }
          });
    }
  }

  private static boolean holds(SlotIdentity identity, String outer) {
    if (!identity.per().isTabled()) {
      return false;
    }
    return outer.endsWith("tables")
        ? outer.equals(Pins.tables(identity.per(), identity.evicts()))
        : !identity.evicts();
  }
}
