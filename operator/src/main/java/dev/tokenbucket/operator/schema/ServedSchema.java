// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.schema;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.util.ArrayList;
import java.util.List;

/**
 * Compares the kinds' fields that the API server serves with those of the CRDs in this build. The
 * API server refuses an apply that sets a missing field, and drops the field from what users write.
 * So an operator on older CRDs would do only half of its work.
 */
public final class ServedSchema {
  private static final String PATH = "/openapi/v3/apis/tokenbucket.dev/v1alpha1";
  private static final List<String> KINDS =
      List.of("tokenbucketpolicies", "tokenbucketaddresssets", "tokenbucketnodestates");

  private ServedSchema() {}

  /**
   * The fields that the API server does not serve, by kind and path; none if it serves all.
   *
   * @throws KubernetesClientException if the API server cannot be asked
   */
  public static List<String> missing(KubernetesClient client) {
    JsonNode served = served(client);
    List<String> missing = new ArrayList<>();
    for (String plural : KINDS) {
      JsonNode crd = crd(plural);
      String kind = crd.at("/spec/names/kind").asText();
      JsonNode schema = crd.at("/spec/versions/0/schema/openAPIV3Schema");
      for (String part : List.of("spec", "status")) {
        compare(
            kind + "." + part,
            schema.path("properties").path(part),
            of(kind, served).path("properties").path(part),
            missing);
      }
    }
    return List.copyOf(missing);
  }

  private static JsonNode served(KubernetesClient client) {
    try {
      return Serialization.unmarshal(client.raw(PATH), JsonNode.class);
    } catch (KubernetesClientException e) {
      if (e.getCode() == HttpURLConnection.HTTP_NOT_FOUND) {
        return Serialization.jsonMapper().createObjectNode();
      }
      throw e;
    }
  }

  private static JsonNode crd(String plural) {
    String resource = "/crds/" + plural + ".tokenbucket.dev-v1.yml";
    try (InputStream crd = ServedSchema.class.getResourceAsStream(resource)) {
      if (crd == null) {
        throw new IOException("no " + resource + " on the class path");
      }
      return Serialization.unmarshal(crd, JsonNode.class);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static JsonNode of(String kind, JsonNode served) {
    for (JsonNode schema : served.at("/components/schemas")) {
      for (JsonNode each : schema.path("x-kubernetes-group-version-kind")) {
        if (each.path("kind").asText().equals(kind)) {
          return schema;
        }
      }
    }
    return served.path("components").path("schemas").path("");
  }

  /** Adds missing fields. A missing field also stands for all fields within it. */
  private static void compare(String path, JsonNode ours, JsonNode theirs, List<String> missing) {
    if (theirs.isMissingNode()) {
      missing.add(path);
      return;
    }
    ours.path("properties")
        .fields()
        .forEachRemaining(
            field ->
                compare(
                    path + "." + field.getKey(),
                    field.getValue(),
                    theirs.path("properties").path(field.getKey()),
                    missing));
    if (ours.has("items")) {
      compare(path + "[]", ours.path("items"), theirs.path("items"), missing);
    }
  }
}
