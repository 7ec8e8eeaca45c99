using ResilientHost.Hosting;

namespace ResilientHost.Dashboard;

/// <summary>Reads the configuration in force for people.</summary>
internal sealed class ConfigurationReader(ConfigurationJournal journal, ConfigurationSources sources, ResilienceInstance instance)
{
    /// <param name="namesCallers">Whether free text is told (networks, folders), and what was refused in its own words; both may say more than a stranger should know.</param>
    public ConfigurationStatus Read(bool namesCallers)
    {
        var record = journal.Read();
        return new(
            instance.Name,
            record.AppliedAt,
            record.RefusedAt,
            record.Refusal is null || namesCallers ? record.Refusal : [],
            [
                .. record.Entries
                    .Where(item => namesCallers || !item.Entry.IsText)
                    .Select(item => new ConfigurationEntry(item.Entry.Key, item.Entry.Value, sources.Of(item.Entry), item.ChangedAt)),
            ]);
    }
}
