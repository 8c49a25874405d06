// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tokenbucket.agent.kernel.HookPoint;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.pins.Layouts;
import dev.tokenbucket.agent.pins.Pins;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** An agent takes over real hooks that an agent of another layout left. */
class TakeOverTest extends VethTest {
  private static final NodePolicy IN = policy(NEAR, Direction.Ingress, 0);
  private static final NodePolicy OUT = policy(NEAR, Direction.Egress, 1);
  private static final NodePolicy FAR_IN = policy(FAR, Direction.Ingress, 2);

  private Path ours = Path.of("");

  private static NodePolicy policy(String interfaceName, Direction direction, int position) {
    return Policy.packets(10, 10).perSource(10).on(interfaceName, direction).at(position);
  }

  @BeforeEach
  void nameOurFolder() {
    ours = bpffs.resolve("tokenbucket");
  }

  /** Of layout 1, which had no folder, or of another. */
  private Programmer agentOf(int layout, Kernel kernel) {
    Pins pins = new Pins(layout == 1 ? ours : ours.resolve("layout-" + layout));
    return new Programmer(kernel, new Layouts(ours, pins), compiled, Runnable::run);
  }

  @ParameterizedTest
  @CsvSource({"1, false", "1, true", "7, false", "7, true"})
  void everyHookRunsAProgramAllTheWhile(int layout, boolean clsact) throws Exception {
    agentOf(layout, new LinuxKernel(clsact)).apply(List.of(IN, OUT, FAR_IN));
    List<String> before = programs(clsact);
    assertThat(before).hasSize(3);
    List<Integer> seen = new ArrayList<>();
    Kernel kernel =
        WatchedKernel.of(
            new LinuxKernel(clsact), change -> seen.add(programs(clsact, IN, OUT).size()));

    assertThat(agent(plain).otherLayouts()).containsExactly(String.valueOf(layout));
    assertThat(agent(kernel).apply(List.of(IN, OUT))).isEmpty();

    assertThat(seen).isNotEmpty().containsOnly(2);
    assertThat(programs(clsact)).hasSize(2).doesNotContainAnyElementsOf(before);
    assertThat(agent(plain).running()).hasSize(2);
    assertOnlyOurLayout();
    agent(plain).removeAll();
    assertThat(ours).doesNotExist();
    assertThat(run("tc", "qdisc", "show", "dev", NEAR)).doesNotContain("clsact");
    assertThat(run("tc", "qdisc", "show", "dev", FAR)).doesNotContain("clsact");
  }

  /** The qdisc was made for the hook of the other direction. */
  @Test
  void theHookThatStaysTakesTheMarkOfTheOneThatGoes() throws Exception {
    agentOf(1, new LinuxKernel(true)).apply(List.of(OUT));
    agentOf(1, new LinuxKernel(true)).apply(List.of(OUT, IN));
    agent(new LinuxKernel(true)).apply(List.of(IN));
    assertThat(programs(true)).hasSize(1);

    agent(plain).removeAll();
    assertThat(run("tc", "qdisc", "show", "dev", NEAR)).doesNotContain("clsact");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatFailsHalfwayIsEnforcedAndTriedAgain(boolean clsact) throws Exception {
    List<NodePolicy> set = List.of(IN, OUT, FAR_IN);
    agentOf(1, new LinuxKernel(clsact)).apply(set);
    List<String> before = programs(clsact);
    List<String> changes = new ArrayList<>();
    Kernel failing =
        WatchedKernel.of(
            new LinuxKernel(clsact),
            change -> {
              if (change.equals("replace") && changes.contains("after replace")) {
                throw new IllegalStateException("a test's fault");
              }
              changes.add(change);
            });

    assertThat(agent(failing).apply(set).values())
        .hasSize(2)
        .allMatch(reason -> reason.endsWith("gress: a test's fault"));
    assertThat(agent(plain).otherLayouts()).containsExactly("1");
    assertThat(programs(clsact)).hasSize(3);
    assertThat(programs(clsact).stream().filter(before::contains)).hasSize(2);

    assertThat(agent(new LinuxKernel(clsact)).apply(set)).isEmpty();
    assertThat(programs(clsact)).hasSize(3).doesNotContainAnyElementsOf(before);
    assertOnlyOurLayout();
  }

  /** The program was exchanged, and the agent killed before the pin was moved. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aTakeOverCutShortIsDoneAgain(boolean clsact) throws Exception {
    agentOf(1, new LinuxKernel(clsact)).apply(List.of(IN));
    Kernel killed =
        WatchedKernel.of(
            new LinuxKernel(clsact),
            change -> {
              if (change.equals("after replace")) {
                throw new AssertionError("killed");
              }
            });
    assertThatThrownBy(() -> agent(killed).apply(List.of(IN))).hasMessage("killed");
    List<String> exchanged = programs(clsact);
    assertThat(agent(plain).running()).isEmpty();

    agent(new LinuxKernel(clsact)).apply(List.of(IN));
    assertThat(programs(clsact)).hasSize(1).doesNotContainAnyElementsOf(exchanged);
    assertThat(agent(plain).running()).hasSize(1);
    assertOnlyOurLayout();
  }

  /** Same set, same maps: but the program has changed. */
  @Test
  void aProgramOfAnotherVersionIsExchangedInPlace() throws Exception {
    agent(plain).apply(List.of(IN));
    List<String> before = programs(false);
    agent(plain).apply(List.of(IN));
    assertThat(programs(false)).isEqualTo(before);

    Path next = Files.createSymbolicLink(objects.resolve("another"), compiled);
    Programmer agent = new Programmer(plain, bpffs, next);
    agent.apply(List.of(IN));
    List<String> after = programs(false);
    agent.apply(List.of(IN));

    assertThat(after).hasSize(1).doesNotContainAnyElementsOf(before);
    assertThat(programs(false)).isEqualTo(after);
    assertThat(agent.otherLayouts()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void anEmptySetRemovesEveryLayout(boolean clsact) throws Exception {
    agentOf(1, new LinuxKernel(clsact)).apply(List.of(IN, OUT));
    agentOf(7, new LinuxKernel(clsact)).apply(List.of(FAR_IN));
    agent(new LinuxKernel(clsact)).apply(List.of());

    assertThat(programs(clsact)).isEmpty();
    assertThat(ours).doesNotExist();
    assertThat(run("tc", "qdisc", "show", "dev", NEAR)).doesNotContain("clsact");
  }

  private void assertOnlyOurLayout() throws IOException {
    try (Stream<Path> entries = Files.list(ours)) {
      assertThat(entries.map(each -> String.valueOf(each.getFileName())))
          .containsExactly("layout-" + Pins.LAYOUT);
    }
  }

  private List<String> programs(boolean clsact) {
    return programs(clsact, IN, OUT, FAR_IN);
  }

  /** The programs, by id, on the hooks of these policies, ours or not. */
  private List<String> programs(boolean clsact, NodePolicy... of) {
    List<String> programs = new ArrayList<>();
    for (NodePolicy each : of) {
      String name = String.valueOf(each.interfaces().get(0).name());
      programs.addAll(clsact ? filters(name, each.direction()) : links(name, each.direction()));
    }
    return programs;
  }

  private List<String> links(String name, Direction direction) {
    Optional<Integer> index = plain.interfaceIndex(name);
    return plain.tcxPrograms(index.orElseThrow(), HookPoint.tc(direction)).stream()
        .map(String::valueOf)
        .toList();
  }

  private static List<String> filters(String name, Direction direction) {
    String side = direction == Direction.Ingress ? "ingress" : "egress";
    try {
      return Pattern.compile(" id ([0-9]+)")
          .matcher(run("tc", "filter", "show", "dev", name, side))
          .results()
          .map(found -> found.group(1))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
