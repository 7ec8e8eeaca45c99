var builder = WebApplication.CreateBuilder(args);
builder.AddResilienceLayers();

var app = builder.Build();
app.UseResilienceLayers();

app.MapGet("/hello/{name}", (string name) => $"Hello, {name}!");
app.MapGet("/broken", string () => throw new InvalidOperationException("No caller ever reads this."));
app.MapPost("/checkout", () => Results.Accepted()).WithCircuitBreaker("checkout").WithBulkhead("checkout");
app.MapResilienceStatus("/resilience").AllowAnonymous();

app.Run();
