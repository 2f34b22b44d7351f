"""The sentences of the steps, in the languages that the views speak: one template for each kind of moment.

A template has {names} of slots and nothing else in braces, so that `str.format` here and a line of script in a page
fill it alike. The slots are the same in every language.
"""

from __future__ import annotations

PHRASES = {
    "en": {
        "forward": "Step {i} of {n}, forward: {equation}.",
        "forward_unknown": "Step {i} of {n}, forward: {equation}, a value that was not kept.",
        "transpose": "Step {i} of {n}, backward through {op} to {name}: the shapes must fit, so {matrix} {shape} is "
        "transposed to {full}: {equation}.",
        "rule": "Step {i} of {n}, backward through {op} to {name}: {equation}.",
        "rule_first": "Step {i} of {n}, backward through {op} to {name}: {equation}; "
        "{name}.grad is {after}, use {use} of {uses}.",
        "rule_more": "Step {i} of {n}, backward through {op} to {name}: {equation}; "
        "{name}.grad: {total}, use {use} of {uses}.",
        "sum_first": "Step {i} of {n}, backward through {op} to {name}: {name} {shape} was stretched to {full}, so sum "
        "over axis {axes}: {equation}; {name}.grad is {after}, use {use} of {uses}.",
        "sum_more": "Step {i} of {n}, backward through {op} to {name}: {name} {shape} was stretched to {full}, so sum "
        "over axis {axes}: {equation}; {name}.grad: {total}, use {use} of {uses}.",
        "update": "Step {i} of {n}, update of {name}: {equation}.",
        "update_to": "Step {i} of {n}, update of {name}: {before} becomes {after}.",
    },
    "zh": {
        "forward": "第 {i} 步（共 {n} 步），前向传播：{equation}。",
        "forward_unknown": "第 {i} 步（共 {n} 步），前向传播：{equation}，其值未保留。",
        "transpose": "第 {i} 步（共 {n} 步），经 {op} 反向传播到 {name}：为使形状匹配，"
        "将 {matrix} {shape} 转置为 {full}：{equation}。",
        "rule": "第 {i} 步（共 {n} 步），经 {op} 反向传播到 {name}：{equation}。",
        "rule_first": "第 {i} 步（共 {n} 步），经 {op} 反向传播到 {name}：{equation}；"
        "{name} 的梯度为 {after}（第 {use} 次使用，共 {uses} 次）。",
        "rule_more": "第 {i} 步（共 {n} 步），经 {op} 反向传播到 {name}：{equation}；"
        "{name} 的梯度累加为 {total}（第 {use} 次使用，共 {uses} 次）。",
        "sum_first": "第 {i} 步（共 {n} 步），经 {op} 反向传播到 {name}：{name} {shape} 曾被广播为 {full}，"
        "因此沿轴 {axes} 求和：{equation}；{name} 的梯度为 {after}（第 {use} 次使用，共 {uses} 次）。",
        "sum_more": "第 {i} 步（共 {n} 步），经 {op} 反向传播到 {name}：{name} {shape} 曾被广播为 {full}，"
        "因此沿轴 {axes} 求和：{equation}；{name} 的梯度累加为 {total}（第 {use} 次使用，共 {uses} 次）。",
        "update": "第 {i} 步（共 {n} 步），更新 {name}：{equation}。",
        "update_to": "第 {i} 步（共 {n} 步），更新 {name}：由 {before} 变为 {after}。",
    },
    "ja": {
        "forward": "ステップ {i}/{n}、順伝播：{equation}。",
        "forward_unknown": "ステップ {i}/{n}、順伝播：{equation}（値は保存されていない）。",
        "transpose": "ステップ {i}/{n}、{op} から {name} への逆伝播：形状を合わせるため {matrix} {shape} を {full} に"
        "転置する：{equation}。",
        "rule": "ステップ {i}/{n}、{op} から {name} への逆伝播：{equation}。",
        "rule_first": "ステップ {i}/{n}、{op} から {name} への逆伝播：{equation}、"
        "{name} の勾配は {after}（使用 {uses} 回中 {use} 回目）。",
        "rule_more": "ステップ {i}/{n}、{op} から {name} への逆伝播：{equation}、"
        "{name} の勾配に加算して {total}（使用 {uses} 回中 {use} 回目）。",
        "sum_first": "ステップ {i}/{n}、{op} から {name} への逆伝播：{name} {shape} は {full} に"
        "ブロードキャストされたので、軸 {axes} に沿って和をとる："
        "{equation}、{name} の勾配は {after}（使用 {uses} 回中 {use} 回目）。",
        "sum_more": "ステップ {i}/{n}、{op} から {name} への逆伝播：{name} {shape} は {full} に"
        "ブロードキャストされたので、軸 {axes} に沿って和をとる："
        "{equation}、{name} の勾配に加算して {total}（使用 {uses} 回中 {use} 回目）。",
        "update": "ステップ {i}/{n}、{name} の更新：{equation}。",
        "update_to": "ステップ {i}/{n}、{name} の更新：{before} から {after} へ。",
    },
}
