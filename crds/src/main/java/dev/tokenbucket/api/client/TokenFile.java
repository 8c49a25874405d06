// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.client;

import io.fabric8.kubernetes.client.OAuthTokenProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A token that is read from its file for each request, because a kubelet replaces a pod's token
 * long before it expires, and sends no notice. If the file can't be read, or is empty because it is
 * just being written, the last token stays in use.
 */
final class TokenFile implements OAuthTokenProvider {
  private final Path file;
  private volatile String last;

  /**
   * @throws IOException if there is no token at the start
   */
  TokenFile(Path file) throws IOException {
    this.file = file;
    last = Files.readString(file).strip();
    if (last.isEmpty()) {
      throw new IOException("the token file " + file + " is empty");
    }
  }

  @Override
  public String getToken() {
    try {
      String now = Files.readString(file).strip();
      if (!now.isEmpty()) {
        last = now;
      }
    } catch (IOException e) {
      // The API server's answer to the last token says more than the absence of the file for a
      // moment.
    }
    return last;
  }
}
