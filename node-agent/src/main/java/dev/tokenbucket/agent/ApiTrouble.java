package dev.tokenbucket.agent;

import io.fabric8.kubernetes.client.KubernetesClientException;
import java.net.HttpURLConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells what the API server refuses or why it can't be reached, and what to do: once per change,
 * not at every try.
 */
final class ApiTrouble {
  private static final Logger LOG = LoggerFactory.getLogger(ApiTrouble.class);

  private final String what;
  private final String server;
  private String last = "";

  /**
   * @param what is tried, for the log
   * @param server the API server's address
   */
  ApiTrouble(String what, String server) {
    this.what = what;
    this.server = server;
  }

  /** It failed, once more or for the first time. */
  synchronized void failed(Throwable e) {
    String now = describe(e, server);
    if (!now.equals(last)) {
      LOG.warn("{} failed, trying again; what runs stays in force: {}", what, now);
      last = now;
    }
  }

  /** It goes, still or again. */
  synchronized void succeeded() {
    if (!last.isEmpty()) {
      LOG.info("{} goes again", what);
      last = "";
    }
  }

  /** In one line: what is wrong and what to do. */
  static String describe(Throwable e, String server) {
    Throwable cause = e;
    while (cause.getCause() != null && code(cause) == 0) {
      cause = cause.getCause();
    }
    String text = String.valueOf(cause.getMessage()).lines().findFirst().orElse("");
    return switch (code(cause)) {
      case HttpURLConnection.HTTP_UNAUTHORIZED ->
          "401: "
              + server
              + " takes the token for none of its own or for expired; see that the token file is"
              + " renewed and that the service account still is there";
      case HttpURLConnection.HTTP_FORBIDDEN ->
          "403: bind the ClusterRole tokenbucket-agent to the agent's account: " + text;
      case HttpURLConnection.HTTP_NOT_FOUND ->
          "404: " + server + " does not know the kind; apply the CRDs: " + text;
      case 0 ->
          server
              + " can't be reached ("
              + cause.getClass().getSimpleName()
              + (cause.getMessage() == null ? "" : ": " + text)
              + "); see that it runs and that this node has a way to it";
      default -> server + " answers " + code(cause) + ": " + text;
    };
  }

  private static int code(Throwable e) {
    return e instanceof KubernetesClientException refused ? refused.getCode() : 0;
  }
}
