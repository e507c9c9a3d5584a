"""Two networks, two optimizers, two losses."""

import torch
from torch import nn
from torch.nn import functional


def main() -> None:
    torch.manual_seed(0)
    generator = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 16))
    critic = nn.Sequential(nn.Linear(16, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
    for_generator = torch.optim.Adam(generator.parameters(), lr=1e-3)
    for_critic = torch.optim.Adam(critic.parameters(), lr=1e-3)
    while True:
        real, fake = torch.randn(8, 16) + 1, generator(torch.randn(8, 8))
        for_critic.zero_grad()
        functional.binary_cross_entropy_with_logits(critic(real), torch.ones(8, 1)).backward()
        functional.binary_cross_entropy_with_logits(critic(fake.detach()), torch.zeros(8, 1)).backward()
        for_critic.step()
        for_generator.zero_grad()
        functional.binary_cross_entropy_with_logits(critic(fake), torch.ones(8, 1)).backward()
        for_generator.step()


if __name__ == "__main__":
    main()
