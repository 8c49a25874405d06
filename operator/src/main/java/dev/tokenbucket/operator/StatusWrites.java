// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator;

import dev.tokenbucket.operator.fleet.Fleet;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;

/** Writes statuses by server-side apply, and nothing but the status. */
final class StatusWrites {
  private StatusWrites() {}

  /**
   * Writes a status.
   *
   * @param seen the object as last seen; another object of its name is left alone
   * @param update a new object of the kind, to which this adds name, uid and status
   * @return the object with the status
   */
  static <S, T extends CustomResource<?, S>> T apply(
      KubernetesClient client, T seen, T update, S status) {
    update.getMetadata().setName(seen.getMetadata().getName());
    update.getMetadata().setUid(seen.getMetadata().getUid());
    update.setStatus(status);
    return client
        .resource(update)
        .subresource("status")
        .patch(
            new PatchContext.Builder()
                .withPatchType(PatchType.SERVER_SIDE_APPLY)
                .withFieldManager(Fleet.FIELD_MANAGER)
                .withForce(true)
                .build());
  }
}
