using System.Globalization;
using System.Text.RegularExpressions;
using ResilientHost.Health;
using ResilientHost.Tests.Conventions;
using YamlDotNet.RepresentationModel;

namespace ResilientHost.Tests.Docker;

public sealed class KubernetesTests
{
    private const string Folder = "docker/kubernetes";

    private static YamlMappingNode Deployment { get; } = YamlFile.Read($"{Folder}/deployment.yaml");

    private static YamlNode Pod { get; } = Deployment.At("spec", "template", "spec")!;

    private static YamlNode Container { get; } = Pod.At("containers").Items().Single();

    private static Dictionary<string, string?> Environment { get; } =
        Container.At("env").Items().ToDictionary(static variable => variable.At("name").Text()!, static variable => variable.At("value").Text());

    [Theory]
    [InlineData("startupProbe", "/health/live")]
    [InlineData("livenessProbe", "/health/live")]
    [InlineData("readinessProbe", "/health/ready")]
    public void Probes_AskOurHealth_ByAHostThatIsAllowed(string probe, string path)
    {
        var request = Container.At(probe, "httpGet");

        request.At("path").Text().ShouldBe(path);
        request.At("port").Text().ShouldBe(Container.At("ports").Items().Single().At("name").Text());
        var host = request.At("httpHeaders").Items().Single(static header => header.At("name").Text() == "Host").At("value").Text();
        Environment["AllowedHosts"]!.Split(';').ShouldContain(host);
    }

    [Fact]
    public void Readiness_WaitsForChecksThatHang_SoThatTheShopSaysWhichItIs() =>
        TimeSpan.FromSeconds(Number(Container.At("readinessProbe")!, "timeoutSeconds")).ShouldBeGreaterThan(ReadinessEndpoint.Limit);

    [Fact]
    public void Dashboard_HasOperators_OfASecretThatTheReadmeOfTheManifestsMakes()
    {
        var secret = Container.At("env").Items().Single(static variable => variable.At("name").Text() == "Operators__oncall__Password").At("valueFrom", "secretKeyRef").ShouldNotBeNull();

        Repository.Read($"{Folder}/kustomization.yaml").ShouldContain($"create secret generic {secret.At("name").Text()} --from-literal={secret.At("key").Text()}=");
    }

    [Fact]
    public void Grace_IsAtLeastTheDrain() =>
        TimeSpan.FromSeconds(Number(Pod, "terminationGracePeriodSeconds"))
            .ShouldBeGreaterThanOrEqualTo(Drain.Of(Environment["Resilience__Shutdown__ReadinessDelay"], Environment["shutdownTimeoutSeconds"]));

    [Fact]
    public void Readiness_IsSeenToBeOff_BeforeConnectionsAreRefused()
    {
        var probe = Container.At("readinessProbe")!;
        var seen = TimeSpan.FromSeconds(Number(probe, "periodSeconds") * Number(probe, "failureThreshold"));

        seen.ShouldBeLessThan(TimeSpan.Parse(Environment["Resilience__Shutdown__ReadinessDelay"]!, CultureInfo.InvariantCulture));
    }

    [Fact]
    public void Pod_RunsAsTheImagesUser_WithoutRights_OnAReadOnlyFileSystem()
    {
        Pod.At("securityContext", "runAsNonRoot").Text().ShouldBe("true");
        Pod.At("securityContext", "runAsUser").Text().ShouldBe(Repository.Read("docker/Dockerfile").ShouldMatchGroup(@"\nUSER (\d+):"));
        Container.At("securityContext", "readOnlyRootFilesystem").Text().ShouldBe("true");
        Container.At("securityContext", "allowPrivilegeEscalation").Text().ShouldBe("false");
        Container.At("securityContext", "capabilities", "drop").Items().Select(static capability => capability.Text()).ShouldBe(["ALL"]);
    }

    [Fact]
    public void Container_SaysWhatItNeeds_AndListensWhereTheImageDoes()
    {
        Container.At("resources", "requests", "cpu").ShouldNotBeNull();
        Container.At("resources", "requests", "memory").ShouldNotBeNull();
        Container.At("resources", "limits", "memory").ShouldNotBeNull();
        Container.At("ports").Items().Single().At("containerPort").Text().ShouldBe(Repository.Read("docker/Dockerfile").ShouldMatchGroup(@"\nEXPOSE (\d+)"));
    }

    [Fact]
    public void Budget_AndService_SelectThePodsOfTheDeployment_AndLeaveOneRunning()
    {
        var labels = Labels(Deployment.At("spec", "template", "metadata", "labels"));
        var budget = YamlFile.Read($"{Folder}/pod-disruption-budget.yaml");
        var service = YamlFile.Documents($"{Folder}/service.yaml").Single(static document => document.At("kind").Text() == "Service");

        Labels(Deployment.At("spec", "selector", "matchLabels")).ShouldBe(labels);
        Labels(budget.At("spec", "selector", "matchLabels")).ShouldBe(labels);
        Labels(service.At("spec", "selector")).ShouldBe(labels);
        Number(Deployment.At("spec")!, "replicas").ShouldBeGreaterThan(Number(budget.At("spec")!, "maxUnavailable"));
    }

    [Fact]
    public void Kustomization_NamesEveryManifest()
    {
        var named = YamlFile.Read($"{Folder}/kustomization.yaml").At("resources").Items().Select(static resource => resource.Text());
        var there = Directory.EnumerateFiles(Path.Combine(Repository.Root, Folder), "*.yaml").Select(Path.GetFileName).Where(static file => file != "kustomization.yaml");

        named.ShouldBe(there, ignoreOrder: true);
    }

    [Fact]
    public void Yaml_EveryFile_CanBeRead_WithoutDuplicateKeys()
    {
        var files = Directory.EnumerateFiles(Path.Combine(Repository.Root, "docker"), "*.*", SearchOption.AllDirectories)
            .Where(static file => Regex.IsMatch(file, @"\.ya?ml$", RegexOptions.None, TimeSpan.FromSeconds(1))).ToList();

        files.Count.ShouldBeGreaterThan(8);
        foreach (var file in files)
        {
            YamlFile.Documents(Path.GetRelativePath(Repository.Root, file)).ShouldNotBeEmpty(file);
        }
    }

    private static Dictionary<string, string?> Labels(YamlNode? node) => node.Entries().ToDictionary(static label => label.Key, static label => label.Value.Text());

    private static int Number(YamlNode node, string key) => int.Parse(node.At(key).Text().ShouldNotBeNull(key), CultureInfo.InvariantCulture);
}
