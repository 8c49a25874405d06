// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives tests a {@link ControlPlane} with the CRDs and roles of Tokenbucket. It starts for the
 * first test that asks for one and serves every test of the module. Its logs are under {@code
 * target}.
 */
public final class ControlPlaneExtension implements ParameterResolver {
  private static final ExtensionContext.Namespace NAMESPACE =
      ExtensionContext.Namespace.create(ControlPlaneExtension.class);

  private record Shared(ControlPlane controlPlane) implements AutoCloseable {
    static Shared start() {
      try {
        Path target = Files.createDirectories(Path.of("target/control-plane").toAbsolutePath());
        Path folder = Files.createTempDirectory(target, "run-");
        ControlPlane controlPlane = ControlPlane.start(folder, Daemon.Lifetime.WITH_PARENT);
        new Cluster(controlPlane).install();
        return new Shared(controlPlane);
      } catch (IOException e) {
        throw new StepFailedException("making a folder for the control plane", e);
      }
    }

    @Override
    public void close() {
      controlPlane.close();
    }
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == ControlPlane.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    Shared shared =
        context
            .getRoot()
            .getStore(NAMESPACE)
            .getOrComputeIfAbsent(Shared.class, key -> Shared.start(), Shared.class);
    return Objects.requireNonNull(shared).controlPlane();
  }
}
