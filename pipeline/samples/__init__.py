"""What the sample inputs are made of: a ray tracer, its models, cut-outs of photographs."""
