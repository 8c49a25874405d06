// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/** {@code struct bucket_key} of maps.h. An address, masked to the policy's prefix length. */
public final class BucketKeyLayout {
  public static final Struct STRUCT =
      Struct.named("bucket_key").u32("word", 4).u32("version").u32("pad").build();

  private BucketKeyLayout() {}
}
