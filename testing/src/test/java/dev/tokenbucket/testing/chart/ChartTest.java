// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.tokenbucket.testing.StepFailedException;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the chart renders, and which values it refuses, without a cluster. */
class ChartTest {
  private static final String OLDEST = "1.32.0";
  private static final String NEWEST = "1.37.2";

  private final Chart chart = Chart.withHelm();

  @Test
  void lintFindsNothing() {
    assertThat(chart.lint(List.of())).contains("0 chart(s) failed");
    assertThat(chart.lint(Chart.EVERYTHING)).contains("0 chart(s) failed");
  }

  @Test
  void itRendersTheSameOnTheOldestAndNewestKubernetes() {
    assertThat(rendered(List.of("--kube-version", OLDEST)))
        .isEqualTo(rendered(List.of("--kube-version", NEWEST)));
    assertThatThrownBy(() -> rendered(List.of("--kube-version", "1.31.9")))
        .hasMessageContaining("chart requires kubeVersion: >=1.32.0-0");
  }

  @Test
  void whatIsOffIsNotThere() {
    String off =
        rendered(
            Chart.sets(
                "crds.install=false",
                "operator.podDisruptionBudget.enabled=false",
                "operator.serviceAccount.create=false",
                "agent.serviceAccount.create=false",
                "rbac.aggregate=false",
                "networkPolicy.enabled=false",
                "apiPriority.enabled=false",
                "uninstall.cleanup=false"));

    assertThat(Chart.documents(off))
        .map(document -> Chart.object(document).getKind())
        .doesNotContain(
            "CustomResourceDefinition",
            "PodDisruptionBudget",
            "NetworkPolicy",
            "FlowSchema",
            "PriorityLevelConfiguration",
            "Job")
        .contains("DaemonSet", "Deployment", "ValidatingAdmissionPolicy");
    assertThat(off).doesNotContain("aggregate-to").doesNotContain("pre-delete");
  }

  @Test
  void nothingNeedsPrometheusOrOpenShiftUnlessAskedFor() {
    assertThat(Chart.documents(rendered(List.of())))
        .map(document -> Chart.object(document).getApiVersion())
        .allMatch(
            version -> !version.startsWith("monitoring.") && !version.startsWith("security."));
  }

  @ParameterizedTest
  @ValueSource(strings = {"true", "false"})
  void crdsStayUnlessAskedToGo(String keep) {
    List<GenericKubernetesResource> crds =
        Chart.documents(rendered(Chart.sets("crds.keep=" + keep))).stream()
            .map(Chart::object)
            .filter(object -> object.getKind().equals("CustomResourceDefinition"))
            .toList();

    assertThat(crds)
        .hasSize(3)
        .allSatisfy(
            crd ->
                assertThat(String.valueOf(crd.getMetadata().getAnnotations()))
                    .isEqualTo(
                        Boolean.parseBoolean(keep) ? "{helm.sh/resource-policy=keep}" : "{}"));
  }

  @Test
  void aDigestWinsOverTheTag() {
    String digest = "sha256:" + "0123456789abcdef".repeat(4);
    assertThat(
            rendered(
                Chart.sets("agent.image.digest=" + digest, "agent.image.repository=r.example/a/b")))
        .contains("image: \"r.example/a/b@" + digest + "\"");
  }

  static Stream<Arguments> wrongValues() {
    return Stream.of(
        arguments(
            "agent.compile=sometimes",
            "'/agent/compile': value must be one of 'auto', 'always', 'never'"),
        arguments("agent.imag.tag=1", "'/agent': additional properties 'imag' not allowed"),
        arguments("operator.replicas=0", "'/operator/replicas': minimum: got 0, want 1"),
        arguments(
            "operator.image.digest=abc", "'/operator/image/digest': 'abc' does not match pattern"),
        arguments("operator.log.level=LOUD", "'/operator/log/level': value must be one of 'ERROR'"),
        arguments(
            "failsafe.peers={10.0.0.1}", "'/failsafe/peers/0': '10.0.0.1' does not match pattern"),
        arguments(
            "failsafe.apiServers={api.example}",
            "'/failsafe/apiServers/0': 'api.example' does not match"),
        arguments(
            "failsafe.overlayPorts={70000}",
            "'/failsafe/overlayPorts/0': maximum: got 70,000, want 65,535"),
        arguments(
            "agent.maxUnavailable=0%", "'/agent/maxUnavailable': '0%' does not match pattern"),
        arguments("agent.stateDir=/x", "'/agent/stateDir': '/x' does not match pattern"),
        arguments(
            "agent.resources.limit.cpu=1",
            "'/agent/resources': additional properties 'limit' not allowed"),
        arguments("crds.keep=maybe", "'/crds/keep': got string, want boolean"),
        arguments("test.rate=1", "'/test/rate': minimum: got 1, want 10"));
  }

  @ParameterizedTest
  @MethodSource
  void wrongValues(String value, String refusal) {
    assertThatThrownBy(() -> rendered(Chart.sets(value)))
        .isInstanceOf(StepFailedException.class)
        .hasMessageContaining(refusal);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "crds.keep=false,uninstall.cleanup=false | crds.keep=false needs uninstall.cleanup=true",
        "monitoring.serviceMonitor.enabled=true,monitoring.podMonitor.enabled=true | one of the two"
      })
  void valuesThatDoNotGoTogether(String values, String refusal) {
    assertThatThrownBy(() -> rendered(List.of("--set", values))).hasMessageContaining(refusal);
  }

  private String rendered(List<String> options) {
    return chart.render("tokenbucket", "tokenbucket-system", new ArrayList<>(options));
  }
}
