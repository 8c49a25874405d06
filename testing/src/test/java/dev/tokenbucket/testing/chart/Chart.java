// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.chart;

import dev.tokenbucket.testing.Commands;
import dev.tokenbucket.testing.StepFailedException;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The chart, used with the helm that testing/helm/build.sh builds. */
public final class Chart {
  static final Path FOLDER = Commands.repository().resolve("deploy/helm/tokenbucket");
  private static final Pattern BETWEEN_DOCUMENTS = Pattern.compile("(?m)^---$");

  /** Every option that adds objects. */
  static final List<String> EVERYTHING =
      sets(
          "namespace.create=true",
          "networkPolicy.egress.enabled=true",
          "monitoring.serviceMonitor.enabled=true",
          "monitoring.prometheusRule.enabled=true",
          "monitoring.dashboard.enabled=true",
          "openshift.enabled=true",
          "commonLabels.team=network",
          "imagePullSecrets[0].name=registry",
          "failsafe.peers={10.0.0.0/24,2001:db8::/64}",
          "failsafe.apiServers={192.0.2.1:6443}",
          "failsafe.kubeletPort=10250",
          "operator.env[0].name=EXTRA",
          "operator.env[0].value=yes");

  private final Path helm;

  private Chart(Path helm) {
    this.helm = helm;
  }

  /** Builds helm unless this machine has already done so. */
  public static Chart withHelm() {
    try {
      Process build =
          new ProcessBuilder(Commands.repository() + "/testing/helm/build.sh")
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      String output = new String(build.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (build.waitFor() != 0) {
        throw new StepFailedException("testing/helm/build.sh failed, see above", null);
      }
      return new Chart(Path.of(output.strip()));
    } catch (IOException e) {
      throw new StepFailedException("testing/helm/build.sh: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StepFailedException("interrupted in testing/helm/build.sh", e);
    }
  }

  /** One {@code --set} per value. */
  public static List<String> sets(String... values) {
    return Arrays.stream(values).flatMap(value -> Stream.of("--set", value)).toList();
  }

  /**
   * The output of {@code helm lint --strict}.
   *
   * @throws StepFailedException with that output, if the linter finds anything
   */
  String lint(List<String> options) {
    return run("lint", List.of("--strict", FOLDER.toString()), options);
  }

  /**
   * The manifests of a release.
   *
   * @throws StepFailedException with Helm's message, if the chart refuses the values
   */
  public String render(String release, String namespace, List<String> options) {
    return run("template", List.of(release, FOLDER.toString(), "--namespace", namespace), options);
  }

  /** Installs a release without waiting for it, because the cluster may have no node. */
  public void install(Path kubeconfig, String release, String namespace, List<String> options) {
    run(
        "install",
        List.of(
            release,
            FOLDER.toString(),
            "--namespace=" + namespace,
            "--create-namespace",
            "--kubeconfig=" + kubeconfig),
        options);
  }

  private String run(String command, List<String> arguments, List<String> options) {
    List<String> line = new ArrayList<>(List.of(helm.toString(), command));
    line.addAll(arguments);
    line.addAll(options);
    return Commands.run(line);
  }

  /** The documents of manifests, except documents that consist only of comments. */
  public static List<String> documents(String manifests) {
    return BETWEEN_DOCUMENTS
        .splitAsStream(manifests)
        .filter(document -> document.contains("\nkind:") || document.contains("\n\"kind\":"))
        .toList();
  }

  /** One document as an object. */
  static GenericKubernetesResource object(String document) {
    return Objects.requireNonNull(
        Serialization.unmarshal(
            new ByteArrayInputStream(document.getBytes(StandardCharsets.UTF_8)),
            GenericKubernetesResource.class));
  }

  /** Kind and name, as kubectl writes them. */
  static String id(GenericKubernetesResource object) {
    return object.getKind() + "/" + object.getMetadata().getName();
  }
}
