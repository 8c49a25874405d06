// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import io.fabric8.kubernetes.api.model.HasMetadata;

/** Resource versions, which the API server orders. */
final class Versions {
  private Versions() {}

  /** The resource version; 0 if there is none, as in tests. */
  static long of(HasMetadata resource) {
    String version = resource.getMetadata().getResourceVersion();
    return version == null || version.isEmpty() ? 0 : Long.parseUnsignedLong(version);
  }

  /** Whether two versions are equal; false for objects without a version. */
  static boolean same(long version, long other) {
    return version != 0 && version == other;
  }

  static boolean newer(long version, long than) {
    return than == 0 || Long.compareUnsigned(version, than) > 0;
  }
}
