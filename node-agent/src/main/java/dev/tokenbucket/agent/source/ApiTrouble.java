// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.http.AsyncBody;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.fabric8.kubernetes.client.http.Interceptor;
import java.net.HttpURLConnection;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs what the API server refuses, or why it cannot be reached, and what to do: one line per
 * change, not per try. This interceptor sees every answer, because the client retries watches by
 * itself and does not say why they fail.
 */
public final class ApiTrouble implements Interceptor {
  private static final Logger LOG = LoggerFactory.getLogger(ApiTrouble.class);
  private static final String CONNECTION = "connection";
  private static final int FIRST_FAILURE = 400;

  private final String server;

  /** The last message per method, or for the connection. */
  private final Map<String, String> said = new HashMap<>();

  /**
   * @param server the API server's address
   */
  ApiTrouble(String server) {
    this.server = server;
  }

  @Override
  public void after(
      HttpRequest request, HttpResponse<?> response, AsyncBody.Consumer<List<ByteBuffer>> body) {
    String method = request.method() == null ? "GET" : request.method();
    if (response.code() < FIRST_FAILURE) {
      answered(method);
    } else if (response.code() != HttpURLConnection.HTTP_CONFLICT) {
      failed(method, refusal(response.code(), method + " " + request.uri().getPath()));
    }
  }

  /** Records a failed request. If there was an answer, it has been logged already. */
  void failed(Throwable e) {
    Throwable cause = e;
    while (true) {
      if (cause instanceof KubernetesClientException refused && refused.getCode() > 0) {
        return;
      }
      if (cause.getCause() == null) {
        break;
      }
      cause = cause.getCause();
    }
    failed(
        CONNECTION,
        server
            + " can't be reached ("
            + cause.getClass().getSimpleName()
            + (cause.getMessage() == null ? "" : ": " + cause.getMessage())
            + "); check that it runs and that this node has a route to it");
  }

  private synchronized void failed(String what, String why) {
    if (!why.equals(said.put(what, why))) {
      LOG.warn("{}; trying again; what runs stays in force", why);
    }
  }

  private synchronized void answered(String method) {
    boolean before = said.remove(method) != null;
    if (said.remove(CONNECTION) != null || before) {
      LOG.info("{} answers again", server);
    }
  }

  private String refusal(int code, String request) {
    return switch (code) {
      case HttpURLConnection.HTTP_UNAUTHORIZED ->
          "401: "
              + server
              + " refuses the token; check that the token file is renewed and that the service"
              + " account exists";
      case HttpURLConnection.HTTP_FORBIDDEN ->
          "403 for "
              + request
              + ": bind the ClusterRole tokenbucket-agent to the agent's account; a token may"
              + " write only the state of its own node";
      case HttpURLConnection.HTTP_NOT_FOUND ->
          "404 for "
              + request
              + ": "
              + server
              + " has no such kind or object; check that the CRDs are applied";
      default -> server + " answers " + code + " to " + request;
    };
  }
}
