// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.compile;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A folder of objects, named by a hash of everything they are made from. The folder is filled once
 * and used by every later start. If filling was interrupted, the next start repeats it.
 */
final class ObjectFolder {
  /** Written last. */
  private static final String COMPLETE = "complete";

  private ObjectFolder() {}

  /** Fills the folder. */
  interface Maker {
    void fill(Path folder) throws IOException;
  }

  static Path of(Path cache, String hash, Maker maker) throws IOException {
    Path folder = cache.resolve(hash);
    if (!Files.exists(folder.resolve(COMPLETE))) {
      Files.createDirectories(folder);
      maker.fill(folder);
      Files.createFile(folder.resolve(COMPLETE));
    }
    return folder;
  }
}
