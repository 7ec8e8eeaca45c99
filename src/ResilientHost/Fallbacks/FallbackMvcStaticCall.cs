using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.AspNetCore.Mvc.Infrastructure;

namespace ResilientHost.Fallbacks;

/// <summary>What MVC takes for the controller of a static fallback. Registered as a service, for applications that take their controllers from there.</summary>
internal sealed class FallbackMvcStaticHost
{
    public static readonly MethodInfo Placeholder = ((Action)new FallbackMvcStaticHost().Answer).Method;

    // Never called: FallbackMvcStaticCall answers in its place.
    public void Answer() => GC.KeepAlive(this);
}

/// <summary>Calls a static fallback with what MVC has bound, and hands its result to MVC.</summary>
internal sealed class FallbackMvcStaticCall : IAsyncActionFilter
{
    private readonly IActionResultTypeMapper _mapper;
    private readonly ParameterInfo[] _parameters;
    private readonly MethodInvoker _method;
    private readonly string _signature;
    private readonly Type _result;
    private readonly Func<object?, Task<object?>> _complete;

    public FallbackMvcStaticCall(MethodInfo method, IActionResultTypeMapper mapper)
    {
        _mapper = mapper;
        _parameters = method.GetParameters();
        _method = MethodInvoker.Create(method);
        _signature = FallbackSignature.Of(method);
        _result = FallbackShape.ResultOf(method.ReturnType);
        _complete = Completion(method.ReturnType);
    }

    public async Task OnActionExecutionAsync(ActionExecutingContext context, ActionExecutionDelegate next)
    {
        var arguments = new object?[_parameters.Length];
        for (var i = 0; i < arguments.Length; i++)
        {
            arguments[i] = context.ActionArguments.TryGetValue(_parameters[i].Name!, out var bound) ? bound
                : _parameters[i].HasDefaultValue ? _parameters[i].DefaultValue : null;
        }

        var result = await _complete(_method.Invoke(obj: null, arguments.AsSpan()));
        context.Result = _result == typeof(void) ? new EmptyResult()
            : result as IActionResult
            ?? (result is null && typeof(IActionResult).IsAssignableFrom(_result) ? throw new InvalidOperationException($"The fallback '{_signature}' returned null where MVC needs a result.")
            : _mapper.Convert(result, _mapper.GetResultDataType(_result)));
    }

    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = FallbackMvcAction.MvcIsNotTrimmed)]
    private static Func<object?, Task<object?>> Completion(Type returned)
    {
        if (returned == typeof(ValueTask))
        {
            return static async task =>
            {
                await (ValueTask)task!;
                return null;
            };
        }

        if (returned.IsGenericType && returned.GetGenericTypeDefinition() == typeof(ValueTask<>))
        {
            var asTask = MethodInvoker.Create(returned.GetMethod(nameof(ValueTask<>.AsTask))!);
            return value => ResultAsync((Task)asTask.Invoke(value)!);
        }

        return typeof(Task).IsAssignableFrom(returned) ? task => ResultAsync((Task)task!) : Task.FromResult;
    }

    [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = FallbackMvcAction.MvcIsNotTrimmed)]
    private static async Task<object?> ResultAsync(Task task)
    {
        await task;
        return task.GetType().GetProperty(nameof(Task<>.Result))?.GetValue(task);
    }
}
