// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/**
 * {@code struct place} of places.h. A bucket and its key, whose last word is zero if no key has the
 * place.
 */
public final class PlaceLayout {
  public static final Struct STRUCT =
      Struct.named("place").struct("bucket", BucketLayout.STRUCT).u64("key", 5).build();

  public static final Field BUCKET = STRUCT.field("bucket");
  public static final Field KEY = STRUCT.field("key");

  private PlaceLayout() {}
}
