// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import java.nio.file.Path;

/** Hands over policies with kubectl. */
final class ClusterTarget implements PolicyTarget {
  private final Cluster cluster;

  ClusterTarget(Cluster cluster) {
    this.cluster = cluster;
  }

  @Override
  public void apply(Path policy) {
    System.out.print("$ kubectl apply -f " + policy.getFileName() + "\n  ");
    System.out.print(cluster.kubectl("apply", "-f", policy.toString()));
  }

  @Override
  public void awaitInForce(String name) {
    cluster.kubectl("wait", "--for=condition=Programmed", "--timeout=30s", "tbp/" + name);
  }

  @Override
  public void remove(String name) {
    cluster.kubectl("delete", "--timeout=30s", "tbp/" + name);
  }

  @Override
  public void show() {
    System.out.println("$ kubectl get tbp,tbns");
    cluster.kubectl("get", "tbp,tbns").lines().forEach(line -> System.out.println("  " + line));
  }
}
