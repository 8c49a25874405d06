// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/** {@code struct bucket} of token_bucket.h. The registers of one bucket. */
public final class BucketLayout {
  public static final Struct STRUCT =
      Struct.named("bucket").u64("pos").u64("lim").u64("excess").build();

  public static final Field POS = STRUCT.field("pos");

  private BucketLayout() {}
}
