// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

class ModuleRulesTest {
  private static final JavaClasses OURS =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("dev.tokenbucket");

  @Test
  void theApiDependsOnNoOtherModule() {
    noClasses()
        .that()
        .resideInAPackage("dev.tokenbucket.api..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "dev.tokenbucket.agent..", "dev.tokenbucket.operator..", "dev.tokenbucket.testing..")
        .check(OURS);
  }

  @Test
  void operatorAndAgentDoNotKnowEachOtherNorTheTests() {
    noClasses()
        .that()
        .resideInAPackage("dev.tokenbucket.operator..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.tokenbucket.agent..", "dev.tokenbucket.testing..")
        .check(OURS);
    noClasses()
        .that()
        .resideInAPackage("dev.tokenbucket.agent..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.tokenbucket.operator..", "dev.tokenbucket.testing..")
        .check(OURS);
  }

  @Test
  void nativeCallsStayBehindTheKernelPort() {
    noClasses()
        .that()
        .resideOutsideOfPackages(
            "dev.tokenbucket.agent.kernel..", "dev.tokenbucket.testing.kernel..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("jnr..")
        .check(OURS);
  }

  /** The layers, from the command line down to the kernel; uses go only downwards. */
  @Test
  void theAgentsPackagesAreInLayers() {
    layeredArchitecture()
        .consideringOnlyDependenciesInAnyPackage("dev.tokenbucket.agent..")
        .layer("main")
        .definedBy("dev.tokenbucket.agent")
        .layer("cli")
        .definedBy("dev.tokenbucket.agent.cli", "dev.tokenbucket.agent.probe")
        .layer("loop")
        .definedBy("dev.tokenbucket.agent.loop")
        .layer("source")
        .definedBy("dev.tokenbucket.agent.source")
        .layer("host")
        .definedBy("dev.tokenbucket.agent.host")
        .layer("tries")
        .definedBy(
            "dev.tokenbucket.agent.replay",
            "dev.tokenbucket.agent.explain",
            "dev.tokenbucket.agent.observe",
            "dev.tokenbucket.agent.top",
            "dev.tokenbucket.agent.suggest")
        .layer("simulate")
        .definedBy("dev.tokenbucket.agent.simulate")
        .layer("program")
        .definedBy("dev.tokenbucket.agent.program")
        .layer("hooks")
        .definedBy("dev.tokenbucket.agent.hooks")
        .layer("slots")
        .definedBy("dev.tokenbucket.agent.slots")
        .layer("pins")
        .definedBy("dev.tokenbucket.agent.pins")
        .layer("kernel")
        .definedBy("dev.tokenbucket.agent.kernel")
        .whereLayer("main")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("cli")
        .mayOnlyBeAccessedByLayers("main")
        .whereLayer("loop")
        .mayOnlyBeAccessedByLayers("cli")
        .whereLayer("source")
        .mayOnlyBeAccessedByLayers("cli", "loop")
        .whereLayer("host")
        .mayOnlyBeAccessedByLayers("main", "cli", "loop", "source")
        .whereLayer("tries")
        .mayOnlyBeAccessedByLayers("cli")
        .whereLayer("simulate")
        .mayOnlyBeAccessedByLayers("cli", "tries")
        .whereLayer("program")
        .mayOnlyBeAccessedByLayers("cli", "loop", "source", "host", "tries")
        .whereLayer("hooks")
        .mayOnlyBeAccessedByLayers("program", "loop", "simulate", "tries")
        .whereLayer("slots")
        .mayOnlyBeAccessedByLayers("program", "hooks", "simulate", "tries")
        .whereLayer("pins")
        .mayOnlyBeAccessedByLayers("program", "hooks", "slots", "simulate", "tries")
        .check(OURS);
  }

  @Test
  void theBorderToCIsWrittenInPlainJava() {
    classes()
        .that()
        .resideInAPackage("dev.tokenbucket.agent.layout..")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage("dev.tokenbucket.agent.layout..", "java..", "org.jspecify..")
        .check(OURS);
  }

  @Test
  void planningAndStatusKnowNoClientAndNoFramework() {
    noClasses()
        .that()
        .resideInAnyPackage("dev.tokenbucket.operator.plan..", "dev.tokenbucket.operator.status..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "io.fabric8.kubernetes.client.dsl..",
            "io.fabric8.kubernetes.client.informers..",
            "io.javaoperatorsdk..",
            "io.quarkus..",
            "jakarta..")
        .check(OURS);
  }
}
