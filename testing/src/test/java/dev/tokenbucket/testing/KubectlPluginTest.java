// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tokenbucket.testing.Commands.Outcome;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code kubectl tokenbucket} with a real kubectl and API server, and pods that no kubelet runs. A
 * script replaces kubectl. It passes everything on except {@code exec}, which it answers according
 * to the node's name.
 */
@ExtendWith(ControlPlaneExtension.class)
class KubectlPluginTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String NAMESPACE = "tokenbucket-system";

  private static final String STAND_IN =
      """
      #!/bin/sh
      case " $* " in *" exec "*) ;; *) exec '%1$s' "$@" ;; esac
      echo begin >>'%2$s'
      trap 'echo end >>"%2$s"' EXIT
      end() { echo "$1" >&2; echo "command terminated with exit code $2" >&2; exit "$2"; }
      case " $* " in
          *" plug-hangs "*) trap 'kill $nap; exit' TERM; sleep 60 & nap=$!; wait ;;
          *" plug-empty "*) end "no hook of this host has a program of the agent" 3 ;;
          *" plug-old "*) end 'Unknown option: "--new\\x"' 2 ;;
          *" plug-cut "*) echo "error: connection reset" >&2; exit 1 ;;
          *" observe "*json*) printf '{"policy":"p"}\\n{"shown":1}\\n' ;;
          *json*) printf '{\\n  "schema": "s"\\n}\\n' ;;
          *) printf '%%s\\n' "$@" ;;
      esac
      """;

  @TempDir Path work;
  private ControlPlane controlPlane;
  private Path calls;
  private final List<Pod> pods = new ArrayList<>();

  @BeforeEach
  void standIn(ControlPlane shared) throws IOException {
    controlPlane = shared;
    calls = work.resolve("calls");
    Path bin = Files.createDirectory(work.resolve("bin"));
    Path kubectl = bin.resolve("kubectl");
    Files.writeString(
        kubectl, STAND_IN.formatted(ControlPlane.binaries().resolve("kubectl"), calls));
    assertThat(kubectl.toFile().setExecutable(true)).isTrue();
  }

  @AfterEach
  void removePods() {
    for (Pod pod : pods) {
      controlPlane.client().resource(pod).withGracePeriod(0).delete();
    }
  }

  @Test
  void answersOfAllNodesAreShownTogether() throws IOException {
    agentsOn("plug-a", "plug-long-name");

    Outcome both =
        plugin("explain", "plug-a", "--in", "eth0", "--src", "$(touch x);*", "plug-long-name");
    assertThat(both.code()).isZero();
    assertThat(both.output().lines())
        .contains(
            "plug-a          --container=agent",
            "plug-a          tb",
            "plug-a          explain",
            "plug-a          $(touch x);*",
            "plug-long-name  explain",
            "plug-a          --bpffs=/pins",
            "plug-a          --state-dir=/state")
        .noneMatch(line -> line.contains("--compile"));

    assertThat(plugin("status", "--all").output())
        .contains("plug-a          status")
        .contains("plug-long-name  status");
    assertThat(plugin("top", "plug-a", "--keys=3", "-owide").output())
        .contains("plug-a  --once")
        .contains("plug-a  --keys=3")
        .contains("plug-a  --output=wide");
    assertThat(plugin("status", "plug-a", "--bpffs=/mine").output())
        .contains("plug-a  --bpffs=/mine")
        .doesNotContain("/pins");
    assertThat(plugin("status", "plug-a", "--selector=app.kubernetes.io/name=other").output())
        .contains("plug-a  no answer: no agent runs there");
    assertThat(complete("status", "")).contains("plug-a\nplug-long-name\n:4");
    assertThat(complete("")).isEqualTo("status\ntop\nexplain\nobserve\ncheck\n:4\n");
  }

  @Test
  void nodesWithoutAnAnswerAreMarkedAndTheHighestCodeIsTheExitCode() throws IOException {
    agentsOn("plug-a", "plug-empty", "plug-old", "plug-cut", "plug-hangs");

    Outcome three = plugin("status", "plug-old", "plug-empty", "plug-a");
    assertThat(three.code()).isEqualTo(3);
    assertThat(three.output())
        .contains("plug-empty  no hook of this host has a program of the agent")
        .doesNotContain("command terminated");

    Outcome all =
        plugin(
            "status",
            "plug-hangs",
            "plug-cut",
            "plug-gone",
            "plug-empty",
            "plug-old",
            "plug-a",
            "--timeout=5",
            "-o",
            "json");
    assertThat(all.code()).isEqualTo(8);
    JsonNode document = JSON.readTree(all.output());
    assertThat(document.path("schema").asText()).isEqualTo("tokenbucket.dev/nodes/v1");
    assertThat(document.path("command").asText()).isEqualTo("status");
    JsonNode nodes = document.path("nodes");
    assertThat(nodes.findValuesAsText("node"))
        .containsExactly("plug-hangs", "plug-cut", "plug-gone", "plug-empty", "plug-old", "plug-a");
    assertThat(nodes.findValuesAsText("answered"))
        .containsExactly("false", "false", "false", "true", "true", "true");
    assertThat(nodes.findValuesAsText("exitCode")).containsExactly("3", "2", "0");
    assertThat(nodes.findValuesAsText("message"))
        .satisfiesExactly(
            hangs -> assertThat(hangs).isEqualTo("none within 5 s; --timeout sets more"),
            cut -> assertThat(cut).isEqualTo("error: connection reset"),
            gone -> assertThat(gone).startsWith("no agent runs there"),
            empty -> assertThat(empty).startsWith("no hook"),
            old -> assertThat(old).isEqualTo("Unknown option: \"--new\\x\""));
    assertThat(nodes.path(5).path("answer").path("schema").asText()).isEqualTo("s");
    assertThat(Files.readAllLines(calls).stream().filter("end"::equals))
        .as("no kubectl is left behind")
        .hasSize(8);
  }

  @Test
  void whatNodesObserveIsShownLineByLine() throws IOException {
    agentsOn("plug-a", "plug-long-name", "plug-empty", "plug-cut");

    Outcome lines = plugin("observe", "plug-a", "--policy", "web", "plug-cut", "--rate=5");
    assertThat(lines.code()).isEqualTo(8);
    assertThat(lines.output().lines())
        .contains(
            "plug-a    observe",
            "plug-a    --policy",
            "plug-a    web",
            "plug-a    --rate=5",
            "plug-a    --for=10s",
            "plug-cut  no answer: error: connection reset");
    assertThat(plugin("observe", "plug-a", "--for", "1s").output())
        .contains("plug-a  --for\nplug-a  1s\n")
        .doesNotContain("10s");

    Outcome json =
        plugin("observe", "plug-a", "plug-long-name", "plug-empty", "plug-gone", "-o", "json");
    assertThat(json.code()).isEqualTo(8);
    List<JsonNode> objects = new ArrayList<>();
    for (String line : json.output().lines().filter(each -> each.startsWith("{")).toList()) {
      objects.add(JSON.readTree(line));
    }
    assertThat(objects)
        .filteredOn(each -> each.has("policy"))
        .extracting(each -> each.path("node").asText())
        .containsExactlyInAnyOrder("plug-a", "plug-long-name");
    assertThat(objects)
        .filteredOn(each -> each.path("node").asText().equals("plug-empty"))
        .singleElement()
        .satisfies(
            empty -> {
              assertThat(empty.path("exitCode").asInt()).isEqualTo(3);
              assertThat(empty.path("message").asText()).startsWith("no hook");
            });
    assertThat(objects)
        .filteredOn(each -> each.path("node").asText().equals("plug-gone"))
        .singleElement()
        .satisfies(gone -> assertThat(gone.path("answered").asBoolean(true)).isFalse());
  }

  @Test
  void noMoreNodesAreAskedAtATimeThanAllowed() throws IOException {
    agentsOn("plug-a", "plug-b", "plug-c");
    assertThat(plugin("check", "plug-a", "plug-b", "plug-c", "--parallel", "1").code()).isZero();
    assertThat(Files.readAllLines(calls))
        .containsExactly("begin", "end", "begin", "end", "begin", "end");
  }

  @Test
  void aWrongLineIsRefusedBeforeAnyNodeIsAsked() {
    assertRefused("name one node or more", "status");
    assertRefused(
        "\"stop\" is no command; status, top, explain, observe and check are", "stop", "n1");
    assertRefused("\"a;b\" is not the name of a node", "status", "a;b");
    assertRefused("--all and names of nodes: choose one", "status", "--all", "n1");
    assertRefused("--timeout 0: must be a whole number", "status", "n1", "--timeout=0");
    assertRefused("--in needs a value", "explain", "n1", "--in");
    assertRefused("-o yaml: several documents", "status", "n1", "-o", "yaml");
    assertRefused("--policy: the agent's container does not", "explain", "n1", "--policy=p.yaml");
    assertRefused("--watch: for one node only", "status", "n1", "n2", "--watch");
    assertThat(calls).doesNotExist();
  }

  @Test
  void shellcheckFindsNothing() {
    Path root = Commands.repository();
    assertThat(
            Commands.run(
                "shellcheck",
                root + "/bin/kubectl-tokenbucket",
                root + "/bin/kubectl_complete-tokenbucket",
                root + "/deploy/krew/build.sh"))
        .isEmpty();
  }

  @Test
  void theArchiveForKrewIsTheOneThatItsManifestNames() throws IOException {
    Path folder = work.resolve("dist");
    List<String> built =
        Commands.run(Commands.repository() + "/deploy/krew/build.sh", folder.toString())
            .lines()
            .toList();
    assertThat(Commands.run("tar", "-tzf", built.get(0)).lines())
        .containsExactly("kubectl-tokenbucket", "kubectl_complete-tokenbucket", "LICENSE");
    String sum = Commands.run("sha256sum", built.get(0)).substring(0, 64);
    assertThat(Files.readString(Path.of(built.get(1))))
        .contains("sha256: " + sum + "\n")
        .contains("/" + Path.of(built.get(0)).getFileName() + "\n")
        .doesNotContain("VERSION");
  }

  private void assertRefused(String message, String... arguments) {
    Outcome outcome = plugin(arguments);
    assertThat(outcome.output()).startsWith("kubectl tokenbucket: ").contains(message);
    assertThat(outcome.code()).isEqualTo(2);
  }

  private Outcome plugin(String... arguments) {
    return withStandIn("kubectl", "tokenbucket", arguments);
  }

  private String complete(String... words) {
    return withStandIn("kubectl_complete-tokenbucket", null, words).output();
  }

  private Outcome withStandIn(String program, @Nullable String first, String... arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(
                "env",
                "KUBECONFIG=" + controlPlane.kubeconfig(),
                "PATH=%s:%s:%s"
                    .formatted(
                        work.resolve("bin"),
                        Commands.repository().resolve("bin"),
                        System.getenv("PATH")),
                program));
    if (first != null) {
      command.add(first);
    }
    command.addAll(List.of(arguments));
    return Commands.end(command);
  }

  /** Pods like the chart's, which the API server considers Running. */
  private void agentsOn(String... nodes) {
    for (String node : nodes) {
      Pod pod =
          new PodBuilder()
              .withNewMetadata()
              .withName(node)
              .withNamespace(NAMESPACE)
              .addToLabels("app.kubernetes.io/name", "tokenbucket")
              .addToLabels("app.kubernetes.io/component", "agent")
              .endMetadata()
              .withNewSpec()
              .withNodeName(node)
              .withServiceAccountName("tokenbucket-agent")
              .withAutomountServiceAccountToken(false)
              .addNewContainer()
              .withName("agent")
              .withImage("localhost/none")
              .withArgs("agent", "--bpffs=/pins", "--state-dir=/state", "--compile=auto")
              .endContainer()
              .endSpec()
              .build();
      controlPlane.client().resource(pod).create();
      pods.add(pod);
      controlPlane
          .client()
          .resource(pod)
          .editStatus(
              each ->
                  new PodBuilder(each).editOrNewStatus().withPhase("Running").endStatus().build());
    }
  }
}
