package dev.tokenbucket.testing.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import java.util.List;
import java.util.Objects;

/**
 * Another version and back, while more is sent than may arrive. The images of the other version are
 * those of this one under another tag: what is tried is that all pods are replaced, by the steps
 * that an upgrade takes. Programs and maps that differ are TakeOverTest's.
 */
record UpgradeCase(RealNodes nodes) {
  private static final String NEXT = "next";
  private static final int RATE = 1_000;

  void noGapAndNoRefill() {
    nodes.install();
    nodes.apply("steady", RATE, "");
    nodes.awaitInForce("steady");
    int first = nodes.helm().revision();
    String tag = image(nodes.node(1)).replaceFirst(".*:", "");
    for (ClusterNode node : nodes.cluster().nodes()) {
      for (String component : List.of("operator", "agent")) {
        String name = "localhost/tokenbucket/" + component + ":";
        node.tagImage(name + tag, name + NEXT);
      }
    }
    underLoad(
        "helm upgrade",
        () ->
            nodes.install(
                "--set", "operator.image.tag=" + NEXT, "--set", "agent.image.tag=" + NEXT));
    nodes.cluster().nodes().forEach(node -> assertThat(image(node)).endsWith(":" + NEXT));

    underLoad("helm rollback", () -> nodes.helm().rollBack(first));
    nodes.cluster().nodes().forEach(node -> assertThat(image(node)).endsWith(":" + tag));
    nodes.removePolicies();
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
