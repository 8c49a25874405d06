// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/** {@code struct shared_bucket} of maps.h. A bucket that all CPUs share, in one cache line. */
public final class SharedBucketLayout {
  /** The map that holds it. */
  public static final String MAP = "shared_buckets";

  public static final Struct STRUCT =
      Struct.named("shared_bucket").struct("bucket", BucketLayout.STRUCT).u64("pad", 5).build();

  private SharedBucketLayout() {}
}
