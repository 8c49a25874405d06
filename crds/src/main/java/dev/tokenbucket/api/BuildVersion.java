// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * The Maven project's version, which is that of {@code tb}, the operator, the images, the chart and
 * the CRDs. A resource holds the version, not a manifest, so that a class path of folders also has
 * it.
 */
public final class BuildVersion {
  private static final String RESOURCE = "version.txt";

  private BuildVersion() {}

  /**
   * The version, {@code 0.1.0} for example.
   *
   * @throws IllegalStateException if the jar was built without the version
   */
  public static String current() {
    try (InputStream in = BuildVersion.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IllegalStateException("built without " + RESOURCE + "; build it with Maven");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      throw new UncheckedIOException("reading " + RESOURCE, e);
    }
  }
}
