package dev.tokenbucket.operator.fleet;

import io.fabric8.kubernetes.api.model.HasMetadata;

/** Resource versions, which the API server orders. */
final class Versions {
  private Versions() {}

  /** 0 where there is none, as in tests. */
  static long of(HasMetadata resource) {
    String version = resource.getMetadata().getResourceVersion();
    return version == null || version.isEmpty() ? 0 : Long.parseUnsignedLong(version);
  }

  /** Never of objects without one. */
  static boolean same(long version, long other) {
    return version != 0 && version == other;
  }

  static boolean newer(long version, long than) {
    return than == 0 || Long.compareUnsigned(version, than) > 0;
  }
}
