package dev.tokenbucket.api.client;

import io.fabric8.kubernetes.client.OAuthTokenProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A token that is read from its file for each request: a kubelet replaces a pod's token long before
 * it expires, and tells nobody. A file that can't be read, or is empty since somebody writes it in
 * this moment, leaves the last token in use.
 */
final class TokenFile implements OAuthTokenProvider {
  private final Path file;
  private volatile String last;

  /**
   * @throws IOException where there is no token to begin with
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
      // The API server's answer to the last token says more than a file that is away for a moment.
    }
    return last;
  }
}
