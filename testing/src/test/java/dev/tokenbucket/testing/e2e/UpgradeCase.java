// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.testing.Commands;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** An upgrade to another version and a rollback, under traffic that exceeds the limit. */
record UpgradeCase(RealNodes nodes) {
  private static final int RATE = 1_000;
  private static final Pattern PROGRAM = Pattern.compile("TCX Ingress +(\\d+)");
  private static final Pattern TAG = Pattern.compile("tag (\\p{XDigit}+)");

  void noGapAndNoRefill() {
    NextVersion next = NextVersion.build(nodes.folder().resolve("next"));
    nodes.cluster().nodes().forEach(node -> next.archives().forEach(node::importImage));
    nodes.install();
    nodes.apply("steady", RATE, "");
    nodes.awaitInForce("steady");
    int first = nodes.helm().revision();
    String tag = image(nodes.node(1)).replaceFirst(".*:", "");
    Set<String> programs = programs();
    assertThat(programs).as("programs of this version").isNotEmpty();

    underLoad("helm upgrade", () -> nodes.helm().installFrom(next.chart()));
    nodes.cluster().nodes().forEach(node -> runs(node, NextVersion.VERSION));
    assertThat(programs())
        .as("programs of the next version")
        .isNotEmpty()
        .doesNotContainAnyElementsOf(programs);

    underLoad("helm rollback", () -> nodes.helm().rollBack(first));
    nodes.cluster().nodes().forEach(node -> runs(node, tag));
    assertThat(programs()).isEqualTo(programs);
    nodes.removePolicies();
  }

  private void runs(ClusterNode node, String version) {
    assertThat(image(node)).endsWith(":" + version);
    assertThat(nodes.tb(node, "--version")).contains(version);
  }

  /** The tags, which are digests of instructions, of the classifiers that the nodes run. */
  private Set<String> programs() {
    return nodes.cluster().nodes().stream()
        .flatMap(node -> found(PROGRAM, nodes.tb(node, "status")))
        .flatMap(id -> found(TAG, Commands.run("bpftool", "prog", "show", "id", id)))
        .collect(Collectors.toSet());
  }

  private static Stream<String> found(Pattern pattern, String text) {
    return pattern.matcher(text).results().map(result -> result.group(1));
  }

  private String image(ClusterNode node) {
    Pod pod = Objects.requireNonNull(nodes.agentPod(node));
    return pod.getSpec().getContainers().get(0).getImage();
  }

  private void underLoad(String what, Runnable change) {
    List<RealNodes.Load> loads =
        nodes.cluster().nodes().stream().map(node -> nodes.load(node, RATE)).toList();
    long start = System.nanoTime();
    change.run();
    nodes.cluster().nodes().forEach(nodes::awaitAgent);
    System.out.printf("%s took %.1f s%n", what, (System.nanoTime() - start) / 1e9);
    loads.forEach(load -> load.judge(what));
    assertThat(nodes.summary("steady")).isEqualTo("in force");
  }
}
